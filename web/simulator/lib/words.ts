import { look, t } from '../i18n'
import { SimError } from './sim'

/** What went wrong, for the person at the phone. */
export function problem(error: unknown): string {
  const code = error instanceof SimError ? error.code : 'other'
  const detail = error instanceof Error ? error.message : ''
  return look(`problem.${code}`, { detail }) ?? t('problem.other', { detail })
}
