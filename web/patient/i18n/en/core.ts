import type { Mirror } from '@shared/i18n/i18n'
import type { core as zh } from '../zh/core'

/** The words that every screen and the list of departments need: part of the first load. In English. */
export const core: Mirror<typeof zh> = {
  'app.loading': 'Loading',
  'app.back': 'Back',
  'app.close': 'Close',
  'app.retry': 'Try again',
  'app.slow': 'The network is slow. Please wait a moment.',
  'app.home': 'Go to the home page',
  'app.stale': 'You are offline. This is from {time}.',
  'app.tabs': 'Main pages',

  'tab.home': 'Home',
  'tab.visits': 'My visits',
  'tab.me': 'Me',

  'kind.general': 'General clinic',
  'kind.specialist': 'Specialist clinic',
  'kind.special': 'Special-need clinic',

  'left.n': '{n} left',
  'left.full': 'Full',
  'left.not_open': 'Not open yet',
  'left.none': 'No clinic',
  'left.stopped': 'Cancelled',
  'left.closed': 'Closed',

  'dept.title': 'Choose a department',
  'dept.search': 'Department or doctor',
  'dept.search_hint': 'In English, Chinese, or pinyin initials',
  'dept.next': 'Earliest {date}',
  'dept.full': 'Fully booked',
  'dept.child': 'Under 18 only',
  'dept.adult': 'Adults only',
  'dept.none': 'Nothing found for “{q}”',
  'dept.none_text': 'Try another word, or call our information desk.',
  'dept.clear': 'Clear',
  'dept.found_departments': 'Departments',
  'dept.found_doctors': 'Doctors',
  'dept.empty': 'No department is open for booking at the moment',
  'dept.call': 'Call the hospital',
  'dept.sum': 'Numbers are the places left in the next {n} days.',
  'dept.unsure': 'Not sure which one? Start with general practice, or call our information desk.',

  'slot.group': '{half} · {kind} · {campus}',

  'fail.title': 'We can’t open this right now',
  'fail.offline': 'No network connection',
  'fail.offline_text': 'Please check your connection. Visits you have booked are safe.',
  'fail.server_text':
    'The hospital’s system is not answering. Please try again soon. Visits you have booked are safe.',
  'fail.missing': 'Not found',
  'fail.missing_text': 'It may no longer be offered, or the link is wrong.',
  'fail.ref': 'Reference {id}',

  'home.book': 'Book a doctor',
  'home.visits': 'My visits',
  'home.persons': 'Patients',
  'home.help': 'Help and contact',

  'ok.add': 'New here: add a patient',
  'ok.bind': 'Been here before: link your record',
  'ok.cannot_book': 'This patient cannot be booked at the moment',

  'visits.sign_in': 'Sign in to see your visits',

  'relation.self': 'Myself',
  'relation.child': 'My child',
  'relation.spouse': 'My spouse',
  'relation.parent': 'My parent',
  'relation.other': 'Someone else',

  'me.sign_in': 'Sign in',

  'help.call': 'Call the hospital',

  'err.unknown': 'That did not work. Please try again.',
  'err.network': 'No network. Please check and try again.',
  'err.not_eligible_name_missing': 'Please complete the patient’s full name first',
  'err.not_eligible_document_missing': 'Please complete the patient’s ID document first',
}
