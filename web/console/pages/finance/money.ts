/** What the pages of finance share: amounts as they are typed, names of colleagues, accounts in words, problems in words. */
import type { Problem } from '@shared/api'
import { addDays, atHospital } from '@shared/format'
import { shallowRef } from 'vue'
import { ApiError, call, type Answer } from '../../lib/api'
import { look, t } from './words'

export type ChargeFile = Answer<'/api/v1/staff/billing/charges/{id}', 'get'>
export type Charge = ChargeFile['charge']
export type Payment = Charge['payments'][number]
export type Refund = Answer<'/api/v1/staff/billing/refunds', 'get'>['items'][number]
export type Shift = Answer<'/api/v1/staff/billing/shift', 'get'>
export type BillDay = Answer<'/api/v1/staff/billing/days', 'get'>['items'][number]
export type Difference = Answer<'/api/v1/staff/billing/differences', 'get'>['items'][number]
export type Suspended = Answer<'/api/v1/staff/billing/suspense', 'get'>['items'][number]
export type Observed = Answer<'/api/v1/staff/billing/incidents', 'get'>['items'][number]
export type Takings = Answer<'/api/v1/staff/billing/sums', 'get'>
export type Sum = Takings['total']

/** Fen from what somebody typed in yuan; nothing when it is no amount to the fen. */
export function fenOf(typed: string): number | undefined {
  const found = /^(\d{1,8})(?:\.(\d{1,2}))?$/.exec(typed.trim())
  return found ? Number(found[1]) * 100 + Number((found[2] ?? '').padEnd(2, '0')) : undefined
}

/** `30.00` from fen: as tables, files and fields have it. */
export function yuan(fen: number | null | undefined): string {
  if (fen === null || fen === undefined) return ''
  const abs = Math.abs(fen)
  return `${fen < 0 ? '-' : ''}${Math.floor(abs / 100)}.${String(abs % 100).padStart(2, '0')}`
}

const colleagues = shallowRef(new Map<string, string>())

/** Reads who these are, once each. */
export async function loadNames(ids: (string | null | undefined)[]): Promise<void> {
  const isNew = (id: string | null | undefined): id is string =>
    typeof id === 'string' && id.startsWith('stf_') && !colleagues.value.has(id)
  const unknown = [...new Set(ids.filter(isNew))]
  for (let at = 0; at < unknown.length; at += 50) {
    const query = { ids: unknown.slice(at, at + 50).join(',') }
    // Without their names the ids stand there.
    const found = await call('get', '/api/v1/staff/billing/colleagues', { query }).catch(() => undefined)
    const more = (found?.items ?? []).map((one) => [one.id, `${one.name_masked} ${one.login}`] as const)
    colleagues.value = new Map([...colleagues.value, ...more])
  }
}

/** Who is behind something: a colleague, a patient, the program, or the key that proved it. */
export function who(id: string | null | undefined): string {
  if (!id) return t('fin.nobody')
  if (id.startsWith('acc_')) return t('who.patient')
  // What proved it; the key or the file's hash is for who looks closer.
  if (/^(PUB_KEY_ID|bill:)/.test(id)) return t('who.platform')
  return id === 'system' ? t('who.system') : (colleagues.value.get(id) ?? id)
}

type PlainAccount = Extract<Parameters<typeof t>[0], `account.${string}`>
const PLAIN: Readonly<Record<string, PlainAccount>> = {
  obligation: 'account.obligation',
  revenue: 'account.revenue',
  'refunds-in-flight': 'account.flight',
  suspense: 'account.suspense',
  'cash-differences': 'account.differences',
  bank: 'account.bank',
  fees: 'account.fees',
  'cash-desk': 'account.desk',
}

/** An account of the ledger in words. */
export function account(text: string): string {
  const [first = '', second = '', third = ''] = text.split(':')
  if (first !== 'clearing') {
    const key = PLAIN[first]
    return key ? t(key) : text
  }
  const channel = second === 'insurance' ? `insurance_${third}` : second
  return look(`channel.${channel}`) ?? text
}

/** What came of an observation, in words. */
export function outcome(text: string | null | undefined): string {
  const key = (text ?? '')
    .toLowerCase()
    .replace(/[^a-z]+/g, '_')
    .replace(/^_|_$/g, '')
  return look(`outcome.${key}`) ?? text ?? ''
}

/** A problem in the words of these pages, where they have some. */
export function told(problem: ApiError | undefined): ApiError | undefined {
  const words = problem && look(`err.${problem.code}`)
  if (!problem || !words) return problem
  const text: Problem = { ...problem.problem, detail: words }
  return new ApiError(text)
}

/** The days from one to the other that are in the filters; today where there are none. */
export function period(from: string, to: string, today: string, back = 0): { from: string; to: string } {
  const last = to || (from > today ? from : today)
  return { from: from || addDays(last < today ? last : today, -back), to: last }
}

/** `2026-11-30 08:05`: as files have it. */
export function stamp(instant: string | null | undefined): string {
  if (!instant) return ''
  const { date, time } = atHospital(instant)
  return `${date} ${time}`
}

/** What a state looks like. */
export type Look = 'success' | 'warning' | 'danger' | 'info'
export function refundLook(state: Refund['state']): Look {
  if (state === 'done') return 'success'
  if (state === 'stuck' || state === 'closed') return 'danger'
  return state === 'wanted' || state === 'sent' || state === 'declined' ? 'info' : 'warning'
}
export function chargeLook(state: Charge['state']): Look {
  return state === 'settled' ? 'success' : state === 'open' ? 'warning' : 'info'
}
