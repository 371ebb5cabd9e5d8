/** The calling desk by keyboard, against a server that answers as ours does. */
import { setLang } from '@shared/i18n/i18n'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createMemoryHistory } from 'vue-router'
import App from '../../App.vue'
import { session } from '../../lib/session'
import { makeRouter } from '../../router'
import { isTyping } from './keys'

const two = (zh: string, en = zh) => ({ zh, en })
const ticket = (label: string, state: string, more: object = {}) => ({
  id: `tkt_${label}`,
  queue_id: 'que_1',
  label,
  name_masked: '王*',
  class: null,
  ahead: 0,
  returning: false,
  number: 1,
  state,
  checked_in_at: '2026-11-23T09:00:00+08:00',
  misses: 0,
  arrival: 'on_time',
  origin: 'phone',
  why: two('准时'),
  times: 0,
  settled: true,
  version: 1,
  ...more,
})
const queue = (version: number, lines: object[], in_rooms: object[]) => ({
  id: 'que_1',
  code: 'Q1',
  kind: 'clinic',
  name: two('心血管内科'),
  prefix: 'A',
  state: 'open',
  waiting: lines.length,
  calling: [],
  next: [],
  late: [],
  lines,
  in_rooms,
  away: [],
  done_today: 0,
  passed_today: 0,
  policy: 'clinic',
  pace: { median_min: 8, n: 3 },
  version,
})
const A1 = ticket('A001', 'waiting')
const A1_CALLED = ticket('A001', 'called', {
  room_id: 'rom_3',
  called_at: '2026-11-23T10:00:00+08:00',
  times: 1,
})
const A2 = ticket('A002', 'waiting')
const seated = {
  room: { id: 'rom_3', name: two('3 诊室') },
  queues: [queue(1, [A1, A2], [])],
  rooms: [],
  available: [],
  undo: null,
}
const done = (what: object) => ({
  action_id: 'act_1',
  undo_until: '',
  ticket: null,
  ended: null,
  queues: [what],
})

let answers: Record<string, unknown>
let said: string[]
let page: VueWrapper

beforeEach(async () => {
  said = []
  answers = { 'GET /api/v1/desk': seated }
  vi.stubGlobal('fetch', async (request: Request) => {
    const what = `${request.method} ${new URL(request.url).pathname}`
    said.push(what)
    const body = answers[what]
    return new Response(JSON.stringify(body ?? { code: 'not_found' }), { status: body ? 200 : 404 })
  })
  await setLang('zh')
  const me = { id: 'stf_1', login: 'lin', name: '林若水', roles: ['nurse'], permissions: ['queue.call'] }
  session.value = { signed_in: true, csrf: 'c', lang: 'zh', me } as never
  const router = makeRouter(createMemoryHistory())
  await router.push('/desk')
  page = mount(App, { global: { plugins: [router] }, attachTo: document.body })
  await vi.waitFor(() => expect(page.text()).toContain('A001'))
})
afterEach(() => page.unmount())

async function press(key: string, target: EventTarget = document.body): Promise<void> {
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
  await flushPromises()
}
const acts = (): string[] => said.filter((one) => one.startsWith('POST'))

it('N calls the next, P passes whoever does not come, and keys that make no sense do nothing', async () => {
  await press('p')
  await press('e')
  expect(acts()).toEqual([])
  answers['POST /api/v1/desk/next'] = done(queue(2, [A2], [A1_CALLED]))
  await press('n')
  expect(page.get('.desk-number').text()).toBe('A001')
  // Being seen comes first: nobody is sent to an exam from the corridor.
  await press('x')
  answers['POST /api/v1/desk/tickets/tkt_A001/pass'] = done(queue(3, [A2, A1], []))
  await press('P')
  expect(acts()).toEqual(['POST /api/v1/desk/next', 'POST /api/v1/desk/tickets/tkt_A001/pass'])
  expect(page.find('.desk-number').exists()).toBe(false)
})

it('Z takes the last act back, once, and only for five seconds', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval'] })
  answers['POST /api/v1/desk/next'] = done(queue(2, [A2], [A1_CALLED]))
  answers['POST /api/v1/desk/undo'] = done(queue(3, [A1, A2], []))
  await press('n')
  await press('z')
  expect(page.find('.desk-number').exists()).toBe(false)
  await press('z')
  expect(acts()).toEqual(['POST /api/v1/desk/next', 'POST /api/v1/desk/undo'])
  vi.useRealTimers()
})

it('an older picture that was overtaken on the way changes nothing', async () => {
  answers['POST /api/v1/desk/next'] = done(queue(5, [A2], [A1_CALLED]))
  await press('n')
  answers['POST /api/v1/desk/tickets/tkt_A001/recall'] = done(queue(4, [A1, A2], []))
  await press('r')
  expect(page.get('.desk-number').text()).toBe('A001')
})

it('typing is not calling', async () => {
  const field = document.createElement('input')
  document.body.append(field)
  expect(isTyping(field)).toBe(true)
  expect(isTyping(document.body)).toBe(false)
  await press('n', field)
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'n', ctrlKey: true, bubbles: true }))
  await flushPromises()
  expect(acts()).toEqual([])
  field.remove()
})
