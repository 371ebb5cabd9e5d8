import type { Mirror } from '@shared/i18n/i18n'
import type { zh } from './words'

export const en: Mirror<typeof zh> = {
  'dev.title': 'Screens and kiosks',
  'dev.text': 'Open {url} in the device’s browser and enter the code that it shows.',
  'dev.code': 'Pairing code',
  'dev.code_hint': 'The eight characters on the screen',
  'dev.name': 'Name',
  'dev.name_hint': 'For example: East hall, left',
  'dev.view': 'What it shows',
  'dev.view.area': 'Waiting room',
  'dev.view.door': 'Door of a room',
  'dev.view.overview': 'All departments',
  'dev.view.experts': 'Specialists of the day',
  'dev.view.kiosk': 'Kiosk (check-in, numbers)',
  'dev.of': 'Area or room',
  'dev.pair': 'Pair',
  'dev.paired': 'Paired: {name}',
  'dev.seen': 'Last seen',
  'dev.change': 'Change',
  'dev.save': 'Save',
  'dev.cancel': 'Cancel',
  'dev.remove': 'Remove',
  'dev.remove_ask': 'Remove “{name}”?',
  'dev.remove_text': 'It is signed out and has to be paired again.',
  'dev.none': 'No devices yet',
}
