/** What the pages of the registration desk share. */
import { day, timeRange } from '@shared/format'
import { lang } from '@shared/i18n/i18n'
import { shallowRef } from 'vue'
import { call, type Answer, type Body } from '../../lib/api'
import { look, t } from './words'

export type Row = Answer<'/api/v1/staff/appointments', 'get'>['items'][number]
export type Detail = Answer<'/api/v1/staff/appointments/{id}', 'get'>
export type Person = Answer<'/api/v1/staff/persons/find', 'post'>['items'][number]
export type Clinic = Answer<'/api/v1/staff/clinics', 'get'>['items'][number]
export type Places = Answer<'/api/v1/staff/places', 'get'>
export type Reason = Body<'/api/v1/staff/appointments/{id}/cancel', 'post'>['reason']
export type Kind = NonNullable<Body<'/api/v1/staff/persons/find', 'post'>['document_kind']>

export const REASONS = ['asked', 'mistake', 'not_the_person', 'other_department', 'hospital'] as const
export const STATES = [
  'booked',
  'checked_in',
  'seen',
  'cancelled',
  'stopped',
  'no_show',
  'held',
  'expired',
] as const
export const VISITS = ['regular', 'add_on', 'return_visit'] as const
export const KINDS = [
  'resident_id',
  'hk_macau_permit',
  'taiwan_permit',
  'hmt_residence_permit',
  'foreign_permanent_resident',
  'passport',
  'birth_certificate',
] as const

/** Departments and doctors, read once for all pages of the desk. */
export const places = shallowRef<Places>()
export async function loadPlaces(): Promise<void> {
  places.value ??= await call('get', '/api/v1/staff/places')
}

/** A text in the page's language. */
export const say2 = (text: { zh: string; en: string } | null | undefined): string =>
  text ? text[lang.value] : ''

export const when = (row: { date: string; start: string; end: string }): string =>
  `${day(row.date)} ${timeRange(row.start, row.end)}`

export const channel = (code: string): string => look(`channel.${code}`) ?? t('channel.other')

/** What a state looks like. */
export function mark(state: Row['state']): 'success' | 'warning' | 'danger' | 'info' {
  if (state === 'stopped' || state === 'no_show') return 'danger'
  if (state === 'held') return 'warning'
  return ['booked', 'checked_in', 'seen'].includes(state) ? 'success' : 'info'
}
