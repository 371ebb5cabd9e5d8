import { dictionary } from '@shared/i18n/i18n'
import { person } from './zh/person'

/** The words of persons, signing in, choices and help. */
export const { t: tp, look: lookPerson } = dictionary(person, () =>
  import('./en').then((module) => module.person),
)
