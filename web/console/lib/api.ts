/**
 * The console's way to the server, typed by its description. `call` is for every area: a page never builds an address by
 * hand. Failures are {@link ApiError}s with the problem's stable code and a sentence in the page's language.
 */
import { ApiError, prefix, TIMEOUT_MS, type Problem } from '@shared/api'
import { lang } from '@shared/i18n/i18n'
import type { paths } from '@shared/openapi'
import { heard } from './today'

export { ApiError }

type Json<R> = R extends { content: { 'application/json': infer J } } ? J : never
type Good<R> = { [S in keyof R]: S extends 200 | 201 | 202 ? Json<R[S]> : never }[keyof R]
/** What a request gives. */
export type Answer<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends {
  responses: infer R
}
  ? Good<R>
  : never
/** What a request takes. */
export type Body<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends {
  requestBody: { content: { 'application/json': infer J } }
}
  ? J
  : never
/** What may stand in a request's query. */
export type Query<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends {
  parameters: { query?: infer Q }
}
  ? NonNullable<Q>
  : never

export interface Given {
  path?: Record<string, string>
  query?: object
  body?: unknown
  /** A file as it is, in place of a body. */
  file?: Blob
  /** A table, instead of a body. */
  csv?: Blob
  /** Names one intent, so that asking twice does it once. */
  key?: string
  /** More of them, `If-Match` for example. */
  headers?: Record<string, string>
}

let csrf = ''
let expired: () => void = () => undefined

/** Called when the server says that nobody is signed in any more. */
export function onExpired(handler: () => void): void {
  expired = handler
}

/** What changing requests carry from now on. */
export function keepCsrf(token: string): void {
  csrf = token
}

interface Told {
  status: number
  body: unknown
}

async function send(method: string, url: string, given: Given): Promise<Told> {
  const headers: Record<string, string> = {
    'Accept-Language': lang.value === 'zh' ? 'zh-CN' : 'en',
    ...given.headers,
  }
  if (method !== 'GET' && csrf) headers['X-CSRF'] = csrf
  if (given.key) headers['Idempotency-Key'] = given.key
  if (given.file) headers['Content-Type'] = 'application/octet-stream'
  else if (given.csv) headers['Content-Type'] = 'text/csv'
  else if (given.body !== undefined) headers['Content-Type'] = 'application/json'
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS)
  try {
    const response = await globalThis.fetch(
      new Request(location.origin + url, {
        method,
        headers,
        body: given.file ?? given.csv ?? (given.body === undefined ? null : JSON.stringify(given.body)),
        credentials: 'same-origin',
        signal: stop.signal,
      }),
    )
    heard(response.headers.get('Date'))
    const text = await response.text()
    return { status: response.status, body: text ? (JSON.parse(text) as unknown) : undefined }
  } catch (failure) {
    const code = stop.signal.aborted ? 'timeout' : failure instanceof SyntaxError ? 'bad_answer' : 'network'
    throw new ApiError({ status: 0, code })
  } finally {
    clearTimeout(timer)
  }
}

function address(path: string, given: Given): string {
  const where = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(given.path?.[name] ?? ''))
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(given.query ?? {})) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value))
  }
  const query = search.toString()
  return prefix() + where + (query && `?${query}`)
}

const problemOf = ({ body }: Told): Partial<Problem> =>
  typeof body === 'object' && body !== null ? (body as Partial<Problem>) : {}

/** Asks the server. */
export async function call<P extends keyof paths & string, M extends keyof paths[P] & string>(
  method: M,
  path: P,
  given: Given = {},
): Promise<Answer<P, M>> {
  const [verb, url] = [method.toUpperCase(), address(path, given)]
  let told = await send(verb, url, given)
  // A page that was open while somebody signed in anew in another tab: once more with the token that holds now.
  if (verb !== 'GET' && told.status === 403 && problemOf(told).code === 'csrf_missing') {
    const fresh = await send('GET', address('/api/v1/staff/session', {}), {})
    const token = (fresh.body as { csrf?: string } | undefined)?.csrf
    if (token) {
      csrf = token
      told = await send(verb, url, given)
    }
  }
  if (told.status >= 200 && told.status < 300) return told.body as Answer<P, M>
  const problem = problemOf(told)
  if (told.status === 401) expired()
  throw new ApiError({ ...problem, status: told.status, code: problem.code ?? `http_${told.status}` })
}
