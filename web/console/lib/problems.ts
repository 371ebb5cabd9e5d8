/** What a problem is called on screen: the server's sentence is in the page's language already; ours is for where there is none. */
import { t } from '../i18n'
import type { ApiError } from './api'

export function sayProblem(problem: ApiError): string {
  if (problem.offline) return t('problem.offline')
  const wait = problem.number('retry_after_s')
  const text = problem.problem.detail ?? t('problem.unknown')
  if (problem.code === 'too_many_tries' && wait !== undefined) {
    return `${text} ${t('problem.wait', { n: Math.max(1, Math.ceil(wait / 60)) })}`
  }
  return text
}
