import { afterEach, describe, expect, it, vi } from 'vitest'
import { api, ApiError, newKey, onExpired, prefix, TIMEOUT_MS } from './api'
import { visitApi } from '../patient/lib/visit-api'
import { lang } from './i18n/i18n'

const answer = (status: number, body?: unknown): Response =>
  new Response(body === undefined ? null : JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json' },
  })

function stub(reply: (request: Request) => Response | Promise<Response>): Request[] {
  const seen: Request[] = []
  vi.stubGlobal('fetch', (request: Request) => {
    seen.push(request.clone())
    return Promise.resolve().then(() => reply(request))
  })
  return seen
}

async function failure(work: Promise<unknown>): Promise<ApiError> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(thrown instanceof ApiError)) throw new Error(`no ApiError but ${String(thrown)}`)
  return thrown
}

afterEach(() => {
  lang.value = 'zh'
  vi.useRealTimers()
  delete window.xlEarly
})

describe('requests', () => {
  it('say the page’s language, and carry the CSRF token where they change something', async () => {
    const seen = stub((request) =>
      request.url.endsWith('/session')
        ? answer(200, { signed_in: true, csrf: 'token-1', lang: 'en' })
        : answer(200, {}),
    )
    lang.value = 'en'
    await api.session()
    await visitApi.cancel('apt_1', 'key-1')
    expect(seen[0]?.headers.get('accept-language')).toBe('en')
    expect(seen[0]?.headers.get('x-csrf')).toBeNull()
    expect(seen[1]?.headers.get('x-csrf')).toBe('token-1')
    expect(seen[1]?.headers.get('idempotency-key')).toBe('key-1')
    expect(new URL(seen[1]?.url ?? '').pathname).toBe('/api/v1/appointments/apt_1/cancel')
  })

  it('are sent once more when the token was old', async () => {
    let token = 'old'
    const seen = stub((request) => {
      if (request.url.endsWith('/session')) return answer(200, { signed_in: true, csrf: token, lang: 'zh' })
      return request.headers.get('x-csrf') === 'new'
        ? answer(200, { id: 'apt_1' })
        : answer(403, { code: 'csrf_missing' })
    })
    await api.session()
    token = 'new'
    expect(await visitApi.cancel('apt_1', 'key-1')).toEqual({ id: 'apt_1' })
    expect(seen.map((one) => one.headers.get('idempotency-key')).filter(Boolean)).toEqual(['key-1', 'key-1'])
  })

  it('take an answer that the page’s head asked for, once', async () => {
    const seen = stub(() => answer(200, { items: ['later'] }))
    window.xlEarly = { '/api/v1/departments': Promise.resolve({ status: 200, body: { items: ['early'] } }) }
    expect(await api.departments()).toEqual({ items: ['early'] })
    expect(await api.departments()).toEqual({ items: ['later'] })
    expect(seen).toHaveLength(1)
  })

  it('ask again themselves when the early answer was lost', async () => {
    stub(() => answer(200, { items: ['later'] }))
    window.xlEarly = { '/api/v1/departments': Promise.reject(new TypeError('lost')) }
    expect(await api.departments()).toEqual({ items: ['later'] })
  })
})

describe('failures', () => {
  it('carry the problem with its own fields', async () => {
    stub(() =>
      answer(409, { status: 409, code: 'slot_full', detail: 'taken', nearest: [{ slot_id: 'slt_2' }] }),
    )
    const error = await failure(api.book('slt_1', 'per_1', 'k'))
    expect(error.code).toBe('slot_full')
    expect(error.again).toBe(false)
    expect(error.problem.nearest).toEqual([{ slot_id: 'slt_2' }])
  })

  it('tell a lost connection from a refusal', async () => {
    stub(() => {
      throw new TypeError('Failed to fetch')
    })
    const error = await failure(api.book('slt_1', 'per_1', 'k'))
    expect(error.code).toBe('network')
    expect(error.again).toBe(true)
    expect(error.offline).toBe(true)
  })

  it('give up on an answer that never comes', async () => {
    vi.useFakeTimers()
    vi.stubGlobal(
      'fetch',
      (request: Request) =>
        new Promise((_, reject) => {
          request.signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')))
        }),
    )
    const failing = failure(api.departments())
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS + 1)
    expect((await failing).code).toBe('timeout')
  })

  it('survive an answer that is no JSON', async () => {
    stub(() => new Response('<html>502</html>', { status: 502, headers: { 'content-type': 'text/html' } }))
    const error = await failure(api.departments())
    expect(error.status).toBe(502)
    expect(error.again).toBe(true)
  })

  it('say when the session is over', async () => {
    const over = vi.fn()
    onExpired(over)
    stub(() => answer(401, { status: 401, code: 'signed_out' }))
    await failure(api.persons())
    expect(over).toHaveBeenCalledOnce()
    onExpired(() => undefined)
  })
})

describe('addresses and keys', () => {
  it('know the hospital’s prefix', () => {
    history.replaceState(null, '', '/h/east-2/departments')
    expect(prefix()).toBe('/h/east-2')
    history.replaceState(null, '', '/help')
    expect(prefix()).toBe('')
  })

  it('make keys that the server accepts and that never repeat', () => {
    const keys = new Set(Array.from({ length: 500 }, newKey))
    expect(keys.size).toBe(500)
    for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
  })
})
