/**
 * The one way to the server. Types come from its OpenAPI document; a screen never builds an address by hand.
 *
 * Every request says the page's language; what changes something carries the CSRF token of the session. A request that
 * fails throws an {@link ApiError} with the problem's stable code, or `network` / `timeout` when no answer came, which
 * for a change means: it may or may not have been done; ask again with the same idempotency key.
 */
import createClient, { type Middleware } from 'openapi-fetch'
import { lang, type Text2 } from './i18n/i18n'
import type { paths } from './openapi'

type Json<R> = R extends { content: { 'application/json': infer J } } ? J : never
type Good<R> = { [S in keyof R]: S extends 200 | 201 | 202 ? Json<R[S]> : never }[keyof R]
type Answer<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends { responses: infer R }
  ? Good<R>
  : never
type Body<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends {
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
export type NearFree = NextFree & { doctor_id?: string | null; doctor_name?: Text2 | null }
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

/** Answers that the page's head asked for before this program was loaded, each to be used once. */
declare global {
  interface Window {
    xlEarly?: Record<string, Promise<Response>>
  }
}

function takeEarly(request: Request): Promise<Response> | undefined {
  if (request.method !== 'GET') return undefined
  const url = new URL(request.url)
  const key = url.pathname + url.search
  const early = window.xlEarly?.[key]
  if (early) delete window.xlEarly?.[key]
  return early
}

/** A changing request that came with an old token is sent once more with the one that holds now. */
async function send(request: Request): Promise<Response> {
  const spare = request.headers.has('X-CSRF') ? request.clone() : undefined
  const response = await ask(request)
  if (!spare || response.status !== 403) return response
  const told: unknown = await response
    .clone()
    .json()
    .catch(() => undefined)
  if ((told as Partial<Problem> | undefined)?.code !== 'csrf_missing') return response
  const fresh = await api.session().catch(() => undefined)
  if (!fresh?.csrf) return response
  spare.headers.set('X-CSRF', fresh.csrf)
  return ask(spare)
}

async function ask(request: Request): Promise<Response> {
  const early = takeEarly(request)
  if (early) {
    const response = await early.catch(() => undefined)
    if (response) return response
  }
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS)
  request.signal?.addEventListener('abort', () => stop.abort())
  try {
    return await globalThis.fetch(new Request(request, { signal: stop.signal }))
  } catch {
    throw new ApiError({ status: 0, code: stop.signal.aborted ? 'timeout' : 'network' })
  } finally {
    clearTimeout(timer)
  }
}

const headers: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', lang.value === 'zh' ? 'zh-CN' : 'en')
    if (request.method !== 'GET' && csrf) request.headers.set('X-CSRF', csrf)
    return request
  },
}

const client = createClient<paths>({
  // The tests, and the pages of one hospital among several, each have their own.
  baseUrl: location.origin + prefix(),
  fetch: send,
  credentials: 'same-origin',
})
client.use(headers)

interface Sent {
  data?: unknown
  error?: unknown
  response: Response
}

async function take<T>(sent: Promise<{ data?: T } & Sent>): Promise<T> {
  const { data, error, response } = await sent.catch((failure: unknown) => {
    if (failure instanceof ApiError) throw failure
    throw new ApiError({ status: 0, code: 'bad_answer' })
  })
  if (response.ok) return data as T
  const told = (typeof error === 'object' && error !== null ? error : {}) as Partial<Problem>
  const problem: Problem = { ...told, status: response.status, code: told.code ?? `http_${response.status}` }
  if (response.status === 401) expired()
  throw new ApiError(problem)
}

const keyed = (key: string): { 'Idempotency-Key': string } => ({ 'Idempotency-Key': key })

function remember(session: Session): Session {
  csrf = session.csrf
  return session
}

/** Every call that the pages make. */
export const api = {
  hospital: () => take(client.GET('/api/v1/hospital')),
  departments: () => take(client.GET('/api/v1/departments')),
  doctors: (query: { department_id?: string; date?: string }) =>
    take(client.GET('/api/v1/doctors', { params: { query } })),
  doctor: (doctor_id: string) =>
    take(client.GET('/api/v1/doctors/{doctor_id}', { params: { path: { doctor_id } } })),
  doctorClinics: (doctor_id: string, from?: string, days?: number) =>
    take(
      client.GET('/api/v1/doctors/{doctor_id}/clinics', {
        params: { path: { doctor_id }, query: { from, days } },
      }),
    ),
  departmentClinics: (department_id: string, from?: string, days?: number) =>
    take(
      client.GET('/api/v1/departments/{department_id}/clinics', {
        params: { path: { department_id }, query: { from, days } },
      }),
    ),
  search: (q: string) => take(client.GET('/api/v1/search', { params: { query: { q } } })),

  session: () => take(client.GET('/api/v1/session')).then(remember),
  sendSignInCode: (phone: string) => take(client.POST('/api/v1/session/sms', { body: { phone } })),
  signIn: (phone: string, code: string) =>
    take(client.POST('/api/v1/session/phone', { body: { phone, code } })).then(remember),
  signOut: () => take(client.DELETE('/api/v1/session')),
  account: (body: Body<'/api/v1/account', 'patch'>) =>
    take(client.PATCH('/api/v1/account', { body })).then(remember),

  persons: () => take(client.GET('/api/v1/persons')),
  sendPersonCode: (phone: string) => take(client.POST('/api/v1/persons/code', { body: { phone } })),
  addPerson: (body: NewPerson, key: string) =>
    take(client.POST('/api/v1/persons', { body, headers: keyed(key) })),
  bindPerson: (body: BindPerson, key: string) =>
    take(client.POST('/api/v1/persons/bind', { body, headers: keyed(key) })),
  setDefault: (id: string) =>
    take(client.PATCH('/api/v1/persons/{id}', { params: { path: { id } }, body: { is_default: true } })),
  unbind: (id: string, confirm: boolean) =>
    take(client.DELETE('/api/v1/persons/{id}', { params: { path: { id }, query: { confirm } } })),

  book: (slot_id: string, person_id: string, key: string) =>
    take(
      client.POST('/api/v1/appointments', { body: { slot_id, person_id }, params: { header: keyed(key) } }),
    ),
  move: (id: string, slot_id: string, key: string) =>
    take(
      client.POST('/api/v1/appointments/{id}/move', {
        params: { path: { id }, header: keyed(key) },
        body: { slot_id },
      }),
    ),
  cancel: (id: string, key: string) =>
    take(client.POST('/api/v1/appointments/{id}/cancel', { params: { path: { id } }, headers: keyed(key) })),
  appointments: (when: 'upcoming' | 'past', after?: string) =>
    take(client.GET('/api/v1/appointments', { params: { query: { when, after } } })),
  appointment: (id: string) => take(client.GET('/api/v1/appointments/{id}', { params: { path: { id } } })),
  again: () => take(client.GET('/api/v1/appointments/again')),

  jsSdk: (url: string) => take(client.POST('/api/v1/wechat/js-sdk', { body: { url } })),
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
