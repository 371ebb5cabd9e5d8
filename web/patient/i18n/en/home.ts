import type { Mirror } from '@shared/i18n/i18n'
import type { home as zh } from '../zh/home'

/** The words of home. In English. */
export const home: Mirror<typeof zh> = {
  'home.title': 'Home',
  'home.welcome': 'Hello. What can we do for you?',
  'home.next': 'Your next visit',
  'home.next_today': 'Your visit today',
  'home.book_note': 'Department, doctor, time',
  'home.today': 'At the hospital',
  'home.today_note': 'Check in, numbers, lines',
  'home.visits_note': 'See, move or cancel',
  'home.persons_note': 'You, your children, your family',
  'home.help_note': 'Phone, address, rules',
  'home.again': 'Book again',
  'home.again_for': '{person}, last on {date}',
  'home.again_book': 'Book {when}',
  'home.again_full': 'No places now. See this doctor',
  'home.elder_on': 'Large text',
  'home.elder_off': 'Standard text',
  'home.elder_hint': 'Hard to read? Large-text mode has bigger letters and fewer steps.',
  'home.elder_yes': 'Use large-text mode',
  'home.elder_no': 'No, thanks',
  'home.other_language': '中文',
  'home.call': 'Call us: {phone}',
  'home.notice': 'From the hospital',
}
