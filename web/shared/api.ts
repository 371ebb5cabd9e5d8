/**
 * The one way to the server. Types come from its OpenAPI document; a screen never builds an address by hand.
 *
 * Every request says the page's language; what changes something carries the CSRF token of the session. A request that
 * fails throws an {@link ApiError} with the problem's stable code, or `network` / `timeout` when no answer came, which
 * for a change means: it may or may not have been done; ask again with the same idempotency key.
 */
import { lang } from './i18n/i18n'
import type { paths } from './openapi'

type Json<R> = R extends { content: { 'application/json': infer J } } ? J : never
type Good<R> = { [S in keyof R]: S extends 200 | 201 | 202 ? Json<R[S]> : never }[keyof R]
type Answer<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends { responses: infer R }
  ? Good<R>
  : never
export type Body<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends {
  requestBody: { content: { 'application/json': infer J } }
}
  ? J
  : never

export type Hospital = Answer<'/api/v1/hospital', 'get'>
export type Department = Answer<'/api/v1/departments', 'get'>['items'][number]
export type DoctorList = Answer<'/api/v1/doctors', 'get'>
export type Doctor = DoctorList['items'][number]
export type DayState = DoctorList['dates'][number]
export type NextFree = NonNullable<Doctor['next_free']>
/** A place near one that has gone; perhaps with another doctor of the department. */
export type NearFree = Answer<'/api/v1/appointments/{id}/offers', 'get'>['items'][number]
export type DoctorPage = Answer<'/api/v1/doctors/{doctor_id}', 'get'>
export type ClinicList = Answer<'/api/v1/doctors/{doctor_id}/clinics', 'get'>
export type Clinic = ClinicList['items'][number]
export type Slot = Clinic['slots'][number]
export type SearchResult = Answer<'/api/v1/search', 'get'>
export type Session = Answer<'/api/v1/session', 'get'>
export type Person = Answer<'/api/v1/persons', 'get'>['items'][number]
export type NewPerson = Body<'/api/v1/persons', 'post'>
export type BindPerson = Body<'/api/v1/persons/bind', 'post'>
export type Relation = NewPerson['relation']
export type Appointment = Answer<'/api/v1/appointments/{id}', 'get'>
export type AppointmentList = Answer<'/api/v1/appointments', 'get'>
export type AgainItem = Answer<'/api/v1/appointments/again', 'get'>['items'][number]
export type ReturnSlot = Answer<'/api/v1/appointments/{id}/return-slots', 'get'>['items'][number]
/** A place in the line at a release. */
export type Ticket = Omit<Answer<'/api/v1/rush/tickets/{id}', 'get'>, 'problem'> & {
  problem?: Problem | null
}
export type WaitlistEntry = Answer<'/api/v1/waitlist', 'get'>['items'][number]
export type NoShow = Answer<'/api/v1/no-shows', 'get'>['items'][number]
export type CardKind = Body<'/api/v1/persons/{id}/cards', 'post'>['kind']
export type PaymentWay = Answer<'/api/v1/payments/ways', 'get'>['items'][number]
export type Payment = Answer<'/api/v1/payments/{id}', 'get'>
export type WechatSheet = NonNullable<NonNullable<Payment['sheet']>['wechat']>
export type Charge = Answer<'/api/v1/charges/{id}', 'get'>
export type CodeSent = Answer<'/api/v1/session/sms', 'post'>

/** A problem as the server tells it (RFC 9457), with what the code adds. */
export interface Problem {
  status: number
  code: string
  title?: string
  detail?: string
  request_id?: string
  fields?: { field: string; code: string; detail?: string }[]
  [extra: string]: unknown
}

/** Why a request did not succeed. `code` is the problem's, or `network`, `timeout`, `bad_answer`. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.code)
    this.name = 'ApiError'
  }
  get code(): string {
    return this.problem.code
  }
  get status(): number {
    return this.problem.status
  }
  /** No answer came, or one that says "not now": the same request may be sent again. */
  get again(): boolean {
    return this.code === 'network' || this.code === 'timeout' || [502, 503, 504].includes(this.status)
  }
  /** The phone has no connection to us. */
  get offline(): boolean {
    return this.code === 'network' || this.code === 'timeout'
  }
  number(name: string): number | undefined {
    const value = this.problem[name]
    return typeof value === 'number' ? value : undefined
  }
  text(name: string): string | undefined {
    const value = this.problem[name]
    return typeof value === 'string' ? value : undefined
  }
}

/** The part of the address that names the hospital where one server has several: `/h/code`, or nothing. */
export function prefix(): string {
  return /^\/h\/[A-Za-z0-9_-]+(?=\/|$)/.exec(location.pathname)?.[0] ?? ''
}

/** A key that names one intent, so that asking twice does it once. Also on plain http, where randomUUID is missing. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** How long we wait for an answer before we call it lost, ms. */
export const TIMEOUT_MS = 20_000

let csrf = ''
let expired: () => void = () => undefined

/** Called when the server says that the session is over. */
export function onExpired(handler: () => void): void {
  expired = handler
}

/** What came back: the status, and the body read as JSON (as text where it is none). */
interface Told {
  status: number
  body: unknown
}

/** Answers that the page's head asked for before this program was loaded, by address, each to be used once. */
declare global {
  interface Window {
    xlEarly?: Record<string, Promise<Told>>
  }
}

function takeEarly(url: string): Promise<Told | undefined> | undefined {
  const early = window.xlEarly?.[url]
  if (early) delete window.xlEarly?.[url]
  return early?.catch(() => undefined)
}

type Operation<P extends keyof paths, M extends keyof paths[P]> = paths[P][M]
/** What a request must carry by the server's description; `key` is the idempotency key. */
type Wants<O> = (O extends { parameters: { path: infer V extends object } } ? { path: V } : unknown) &
  (O extends { parameters: { query?: infer V } } ? { query?: V } : unknown) &
  (O extends { requestBody: { content: { 'application/json': infer V } } } ? { body: V } : unknown) & {
    key?: string
  }
type Given<O> = object extends Wants<O> ? [given?: Wants<O>] : [given: Wants<O>]
interface Carried {
  path?: Record<string, string>
  query?: Record<string, string | number | boolean | undefined>
  body?: unknown
  key?: string
}

async function send(method: string, url: string, { body, key }: Carried): Promise<Told> {
  const headers: Record<string, string> = { 'Accept-Language': lang.value === 'zh' ? 'zh-CN' : 'en' }
  if (method !== 'GET' && csrf) headers['X-CSRF'] = csrf
  if (key) headers['Idempotency-Key'] = key
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS)
  try {
    const response = await globalThis.fetch(
      new Request(location.origin + url, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        credentials: 'same-origin',
        signal: stop.signal,
      }),
    )
    return { status: response.status, body: json(await response.text()) }
  } catch {
    throw new ApiError({ status: 0, code: stop.signal.aborted ? 'timeout' : 'network' })
  } finally {
    clearTimeout(timer)
  }
}

function json(text: string): unknown {
  try {
    return text ? JSON.parse(text) : undefined
  } catch {
    return text
  }
}

const good = ({ status }: Told): boolean => status >= 200 && status < 300
const problemOf = ({ body }: Told): Partial<Problem> =>
  typeof body === 'object' && body !== null ? body : {}

/** One request, typed by the description; screens with calls of their own keep them beside themselves. */
export async function call<P extends keyof paths & string, M extends keyof paths[P] & string>(
  method: M,
  path: P,
  ...[given]: Given<Operation<P, M>>
): Promise<Answer<P, M>> {
  const carried: Carried = given ?? {}
  const { path: parts = {}, query = {} } = carried
  const search = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join('&')
  const where = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parts[name] ?? ''))
  const url = prefix() + where + (search && `?${search}`)
  const verb = method.toUpperCase()
  const early = verb === 'GET' ? await takeEarly(url) : undefined
  let told = early ?? (await send(verb, url, carried))
  // A changing request that came with an old token is sent once more with the one that holds now.
  if (verb !== 'GET' && told.status === 403 && problemOf(told).code === 'csrf_missing') {
    const fresh = await api.session().catch(() => undefined)
    if (fresh?.csrf) told = await send(verb, url, carried)
  }
  if (good(told)) {
    if (typeof told.body === 'string') throw new ApiError({ status: 0, code: 'bad_answer' })
    return told.body as Answer<P, M>
  }
  if (told.status === 401) expired()
  const problem = problemOf(told)
  throw new ApiError({ ...problem, status: told.status, code: problem.code ?? `http_${told.status}` })
}

function remember(session: Session): Session {
  csrf = session.csrf
  return session
}

/** Every call that the pages make. */
export const api = {
  hospital: () => call('get', '/api/v1/hospital'),
  departments: () => call('get', '/api/v1/departments'),
  doctors: (query: { department_id?: string; date?: string }) => call('get', '/api/v1/doctors', { query }),
  doctor: (doctor_id: string) => call('get', '/api/v1/doctors/{doctor_id}', { path: { doctor_id } }),
  // Up to the horizon of booking: what the server has rendered once for everybody.
  doctorClinics: (doctor_id: string) =>
    call('get', '/api/v1/doctors/{doctor_id}/clinics', { path: { doctor_id } }),
  departmentClinics: (department_id: string) =>
    call('get', '/api/v1/departments/{department_id}/clinics', { path: { department_id } }),

  session: () => call('get', '/api/v1/session').then(remember),
  signIn: (phone: string, code: string) =>
    call('post', '/api/v1/session/phone', { body: { phone, code } }).then(remember),
  signOut: () => call('delete', '/api/v1/session'),
  account: (body: Body<'/api/v1/account', 'patch'>) =>
    call('patch', '/api/v1/account', { body }).then(remember),

  persons: () => call('get', '/api/v1/persons'),

  book: (slot_id: string, person_id: string, key: string, pay?: 'online') =>
    call('post', '/api/v1/appointments', {
      body: pay ? { slot_id, person_id, pay } : { slot_id, person_id },
      key,
    }),
  appointments: (when: 'upcoming' | 'past', after?: string) =>
    call('get', '/api/v1/appointments', { query: { when, after } }),
  appointment: (id: string) => call('get', '/api/v1/appointments/{id}', { path: { id } }),

  jsSdk: (url: string) => call('post', '/api/v1/wechat/js-sdk', { body: { url } }),
}

/** Whether a booking was not decided yet but stands in line. */
export function isTicket<T extends object>(answer: T): answer is Extract<T, { estimate_s: number }> {
  return 'estimate_s' in answer
}

/** Where to go to sign in through WeChat and come back to `to` (a path of ours). */
export function wechatSignIn(to: string): string {
  return `${prefix()}/auth/wechat?to=${encodeURIComponent(prefix() + to)}`
}

/** The address of the live stream of some topics. */
export function liveUrl(topics: readonly string[]): string {
  const query = topics.map((topic) => `topic=${encodeURIComponent(topic)}`).join('&')
  return `${prefix()}/api/v1/live?${query}`
}
