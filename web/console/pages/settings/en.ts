import type { Mirror } from '@shared/i18n/i18n'
import { english } from './names'
import type { zh } from './words'

export const en: Mirror<typeof zh> = {
  ...english,
  'set.text':
    'All that the hospital may set: what it means, its default, what holds now, and who changed it when. Changes hold at once and can be taken back.',
  'set.search': 'Find',
  'set.search_hint': 'Name or meaning',
  'set.source': 'Comes from',
  'set.source.default': 'Default',
  'set.source.database': 'Set here',
  'set.source.file': 'File',
  'set.source.environment': 'Environment',
  'set.source.program': 'Start of the program',
  'set.changed': 'Changed ones only',
  'set.by': '{who}, {time}',
  'set.default': 'Default: {value}',
  'set.reset': 'Back to default',
  'set.yes': 'Yes',
  'set.no': 'No',
  'set.empty': '(empty)',
  'set.range': '{least} to {most}',
  'set.per_line': 'One to a line',
  'set.json': 'As JSON',
  'set.json_bad': 'This is not well-formed JSON.',
  'set.save': 'Save this section',
  'set.saved': 'It holds from now on.',
  'set.history': 'Changes',
  'set.history_none': 'None yet.',
  'set.undo': 'Take back',
  'set.undone': 'Taken back',
  'set.undid': '(took an earlier change back)',
  'set.undo_done': 'Taken back: as it was before.',
  'set.to_default': 'default',
  'set.change': '{name}: {before} → {after}',
  'set.program': 'The program',
  'set.program_text':
    'Read from its file or the environment when it starts: to look at here, changed there, with a restart. Secrets are not shown.',
  'set.none': 'There is no such setting.',
}
