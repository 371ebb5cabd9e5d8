import type { Mirror } from '@shared/i18n/i18n'
import type { desk as zh } from '../zh/desk'

/** What the hospital offers beside booking. In English. */
export const desk: Mirror<typeof zh> = {
  'paid.fee': 'Paid',
  'paid.back': 'How far the refund is stands in the bill',
  'paid.bills': 'Bill and refund',
  'offer.title': 'Choose another time',
  'offer.sorry': 'We are sorry: the clinic of {who} on {when} is called off',
  'offer.reason': 'Why: {reason}',
  'offer.next_text':
    'The clinic that was called off is not counted. Number and fee are those of the new one.',
  'offer.same': 'The same doctor',
  'offer.others': 'Others in this department',
  'offer.any': 'Any doctor of the department',
  'offer.take': 'Book this',
  'offer.taking': 'Booking…',
  'offer.none': 'This department has no free numbers at the moment',
  'offer.none_text': 'We will call you. You can also choose another department, or call us.',
  'offer.all': 'All times of this department',
  'offer.not_needed': 'I need no other time',
  'offer.not_needed_sure': 'No other time needed?',
  'offer.not_needed_text': 'Then nobody will call you about it. You can book as usual later.',
  'offer.not_needed_yes': 'None needed',
  'offer.keep': 'Let me look again',
  'offer.gave_up': 'Noted: you need no other time',
  'offer.gave_up_text': 'If you change your mind, you can still choose one below.',
  'offer.booked': 'You have another time',
  'offer.see': 'See the new visit',
  'offer.undone': 'The clinic takes place, and your place is kept',
  'offer.undone_text': 'Number and time are as before. There is nothing to do.',
  'offer.see_old': 'See the visit',
  'offer.call': 'Call the hospital',

  'visit.offers': 'Choose another time',
  'visit.offers_text':
    'We are sorry that the clinic is called off. The next numbers of the department are ready for you, one tap each.',
  'visit.replaced': 'Another doctor will see you: it was {name}, now it is {now}',
  'visit.restored': 'The clinic takes place, with number and time as before',
  'visit.excused': 'You can keep it, or cancel or move it freely until it starts. It will not be counted.',
  'visit.add_on': 'Added number',
  'visit.return_visit': 'Free return visit',
  'visit.return_free': 'No registration fee',
  'visit.return': 'Book the free return visit',
  'visit.return_text':
    'The doctor has opened a free return visit for you: once, until {when}, without a fee.',
  'visit.return_see': 'See the free return visit',

  'return.title': 'Free return visit',
  'return.text':
    'One registration lasts three days: come back once until {when} without a fee, to the same department and campus, to a doctor of the same or a lower grade.',
  'return.same': 'The doctor who saw you',
  'return.other': 'Others in this department',
  'return.take': 'Book {time}',
  'return.none': 'There is no time for a return visit',
  'return.none_text': 'Please ask the doctor or the desk.',

  'add.title': 'A number added by the doctor',
  'add.text':
    'The doctor has added a number for you. It is yours once you confirm; the code can be used once.',
  'add.until': 'Good until {when}',
  'add.take': 'Take this number',
  'add.taking': 'Taking it…',
  'add.no_person': 'There is no patient yet. Please add one first.',
  'add.person': 'Add a patient',
  'add.gone': 'This code can’t be used any more',
  'add.gone_text': 'It has been used or is too old. Please ask the doctor for a new one.',

  'err.already_rebooked': 'You have another time already',
  'err.not_stopped': 'This visit is not called off, or takes place after all. There is nothing to do.',
  'err.add_on_code_over': 'This code has been used or is too old',
  'err.no_add_ons_left': 'The doctor has no more numbers to add',
  'err.return_not_allowed': 'No return visit has been opened for this. Please ask the doctor or the desk.',
  'err.return_days_over': 'The days of the free return visit are over. Please register again.',
  'err.return_once': 'The free return visit has been booked already',
}
