import type { Mirror } from '@shared/i18n/i18n'
import { english } from './names'
import type { zh } from './words'

export const en: Mirror<typeof zh> = {
  ...english,
  'audit.text':
    'Who did what to which record, when and from where. The last seven days unless you choose others; looking and exporting are logged, too.',
  'audit.from': 'From',
  'audit.to': 'To',
  'audit.at': 'When',
  'audit.actor': 'Who',
  'audit.actor_hint': 'Login or id',
  'audit.action': 'Action',
  'audit.action_hint': 'For example staff.',
  'audit.entity': 'Record',
  'audit.entity_hint': 'Id, for example apt_…',
  'audit.detail': 'Detail',
  'audit.source': 'From where',
  'audit.request': 'Request',
  'audit.system': 'The program',
  'audit.nobody': 'Nobody signed in',
}
