import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createApp, defineComponent, h, nextTick } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { ApiError, call, keepCsrf, onExpired } from './api'
import { areas } from './areas'
import { ask, asked } from './ask'
import { cell, csv } from './csv'
import { fieldProblem, useDoing } from './doing'
import { useFilters, type FiltersOf } from './filters'
import { sayProblem } from './problems'
import { en } from '../i18n/en'
import { zh } from '../i18n/zh'

describe('CSV', () => {
  test('quotes what needs it and disarms what a spreadsheet would run', () => {
    expect(cell('plain')).toBe('plain')
    expect(cell('a,b')).toBe('"a,b"')
    expect(cell('she said "no"')).toBe('"she said ""no"""')
    expect(cell('two\nlines')).toBe('"two\nlines"')
    for (const risky of ['=1+1', '+cmd', '@SUM(A1)', '-x', '\tx']) expect(cell(risky)).toMatch(/^"?'/)
    expect(cell('-12.5')).toBe('-12.5')
    expect(cell(-3)).toBe('-3')
    expect(cell(undefined)).toBe('')
  })
  test('begins with the mark that tells Excel of UTF-8', () => {
    expect(csv(['姓名', 'n'], [['李娜', 1]])).toBe('\uFEFF姓名,n\r\n李娜,1\r\n')
  })
})

describe('requests', () => {
  const asks: Request[] = []
  let answers: { status: number; body?: unknown }[] = []
  beforeEach(() => {
    asks.length = 0
    vi.stubGlobal('fetch', (request: Request) => {
      asks.push(request)
      const { status, body } = answers.shift() ?? { status: 500 }
      return Promise.resolve(new Response(body === undefined ? null : JSON.stringify(body), { status }))
    })
  })
  afterEach(() => {
    keepCsrf('')
    onExpired(() => undefined)
  })

  test('fill the path, leave out empty filters, and carry the token when they change something', async () => {
    keepCsrf('t1')
    answers = [{ status: 200, body: { items: [] } }, { status: 204 }]
    await call('get', '/api/v1/staff/members', { query: { q: 'li', role: '', after: undefined } })
    await call('delete', '/api/v1/staff/me/sessions/{name}', { path: { name: 'a/b' } })
    expect(new URL(asks[0]?.url ?? '').search).toBe('?q=li')
    expect(asks[0]?.headers.get('X-CSRF')).toBeNull()
    expect(asks[1]?.url).toMatch(/\/sessions\/a%2Fb$/)
    expect(asks[1]?.headers.get('X-CSRF')).toBe('t1')
  })
  test('are sent once more when the token was an old one', async () => {
    keepCsrf('old')
    answers = [
      { status: 403, body: { code: 'csrf_missing' } },
      { status: 200, body: { csrf: 'fresh' } },
      { status: 204 },
    ]
    await call('delete', '/api/v1/staff/me/wecom')
    expect(asks.map((one) => one.headers.get('X-CSRF'))).toEqual(['old', null, 'fresh'])
  })
  test('fail with the problem, and say when the session is over', async () => {
    const over = vi.fn()
    onExpired(over)
    answers = [{ status: 401, body: { code: 'sign_in_required', detail: '请先登录。' } }]
    const failure = await call('get', '/api/v1/staff/me/sessions').catch((found: unknown) => found)
    expect(failure).toBeInstanceOf(ApiError)
    expect((failure as ApiError).code).toBe('sign_in_required')
    expect(over).toHaveBeenCalledOnce()
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('offline')))
    const offline = await call('get', '/api/v1/staff/roles').catch((found: unknown) => found)
    expect(sayProblem(offline as ApiError)).toBe(zh['problem.offline'])
  })
})

test('one act at a time, and a failure stays until the next try', async () => {
  const { busy, problem, run } = useDoing()
  let finish: (value: number) => void = () => undefined
  const first = run(() => new Promise<number>((resolve) => (finish = resolve)))
  expect(busy.value).toBe(true)
  expect(await run(() => Promise.resolve(2))).toBeUndefined()
  finish(1)
  expect(await first).toBe(1)
  const told = { status: 422, code: 'x', fields: [{ field: 'login', code: 'x', detail: 'no' }] }
  expect(await run(() => Promise.reject(new ApiError(told)))).toBeUndefined()
  expect(fieldProblem(problem.value, 'login')).toBe('no')
  expect(fieldProblem(problem.value, 'name')).toBeUndefined()
  await run(() => Promise.resolve(3))
  expect(problem.value).toBeUndefined()
})

test('a question that is asked over another answers that one with no', async () => {
  const first = ask({ title: 'a', verb: 'do' })
  const second = ask({ title: 'b', verb: 'do' })
  expect(await first).toBe(false)
  asked.value?.answer(true)
  expect(await second).toBe(true)
  expect(asked.value).toBeUndefined()
})

test('filters live in the address', async () => {
  let filters: FiltersOf<'q' | 'role'> | undefined
  const Page = defineComponent({
    setup() {
      filters = useFilters(['q', 'role'])
      return () => h('p')
    },
  })
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: Page }] })
  await router.push('/?q=li&other=1')
  const app = createApp(Page).use(router)
  app.mount(document.createElement('div'))
  expect(filters?.all()).toEqual({ q: 'li', role: '' })
  expect(filters?.any()).toBe(true)
  filters?.set({ role: 'nurse' })
  await vi.waitFor(() =>
    expect(router.currentRoute.value.query).toEqual({ q: 'li', role: 'nurse', other: '1' }),
  )
  filters?.clear()
  await vi.waitFor(() => expect(router.currentRoute.value.query).toEqual({ other: '1' }))
  await nextTick()
  app.unmount()
})

test('areas are found by themselves, each path once', () => {
  const paths = areas.flatMap((area) => area.pages.map((page) => page.path))
  expect(paths).toContain('/staff')
  expect(new Set(paths).size).toBe(paths.length)
  expect(areas.map((area) => area.order)).toEqual([...areas.map((area) => area.order)].sort((a, b) => a - b))
})

test('both languages ask for the same arguments', () => {
  const names = (text: string): string[] =>
    [...text.matchAll(/\{(\w+)/g)].map((match) => match[1] ?? '').sort()
  for (const [key, text] of Object.entries(zh)) {
    expect([...new Set(names(en[key as keyof typeof en]))], key).toEqual([...new Set(names(text))])
  }
})
