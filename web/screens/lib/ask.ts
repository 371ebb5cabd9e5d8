/** Requests of a device. */
import { ApiError, prefix, type Problem } from '@shared/api'

const PATIENCE_MS = 10_000

let csrf = ''

/** What changing requests carry from now on. */
export function keepCsrf(token: string): void {
  csrf = token
}

/** Asks the server; `lang` is the language of what may go wrong. */
export async function ask<T>(method: string, path: string, body?: unknown, lang = 'zh-CN'): Promise<T> {
  const headers: Record<string, string> = { 'Accept-Language': lang }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (method !== 'GET' && csrf) headers['X-CSRF'] = csrf
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS)
  try {
    const response = await fetch(`${prefix()}/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: stop.signal,
    })
    const text = await response.text()
    const told: unknown = text ? JSON.parse(text) : undefined
    if (response.ok) return told as T
    const problem = (told ?? {}) as Partial<Problem>
    throw new ApiError({
      ...problem,
      status: response.status,
      code: problem.code ?? `http_${response.status}`,
    })
  } catch (failure) {
    if (failure instanceof ApiError) throw failure
    throw new ApiError({ status: 0, code: stop.signal.aborted ? 'timeout' : 'network' })
  } finally {
    clearTimeout(timer)
  }
}
