/** Arriving, taking a number, standing in line and being called, as somebody with a phone does it. */
import { byRole, until } from '@shared/test/roles'
import type { Place } from '@shared/waiting'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { guest, member, open, problem, TODAY, visit, type World } from '../test/world'

const two = (zh: string, en: string) => ({ zh, en })
const at = (time: string): string => `${TODAY}T${time}:00+08:00`
const area = {
  id: 'are_1',
  code: 'E2',
  name: two('东区二楼', 'East wing, 2nd floor'),
  campus_name: two('东院区', 'East Campus'),
  way: two('电梯出门左转', 'Turn left from the lift'),
  queues: 2,
  by_position: true,
}
const place: Place = {
  id: 'tkt_1',
  label: 'A018',
  number: 18,
  person_id: 'per_1',
  person_name_masked: '王*英',
  queue: {
    id: 'que_1',
    kind: 'clinic',
    name: two('心血管内科', 'Cardiology'),
    doctor_name: two('李明', 'Li Ming'),
    department_name: two('心血管内科', 'Cardiology'),
  },
  area,
  queue_state: 'open',
  settled: true,
  state: 'waiting',
  ahead: 3,
  room: null,
  called_at: null,
  times: 0,
  estimate: { low: at('10:10'), high: at('10:25'), low_min: 12, high_min: 27 },
  walk_until: at('10:05'),
  why: two('准时报到，前面有三位', 'On time; three people are ahead'),
  arrival: 'on_time',
  class: null,
  misses: 0,
  paused_until: null,
  checked_in_at: at('09:50'),
  appointment_id: 'apt_1',
  order_id: null,
  rendered_at: at('09:58'),
}
const order = {
  order_id: 'ord_1',
  kind: 'lab',
  title: two('血常规', 'Blood count'),
  queue: { id: 'que_2', name: two('抽血', 'Blood test') },
  area,
  state: 'valid',
  ticket_id: null,
  until: at('17:00'),
}
const here = { area, queues: [], mine: { appointments: [], orders: [order], tickets: [] } }

/** A stream that the test speaks through. */
class Stream extends EventTarget {
  static now: Stream | undefined
  static readonly CLOSED = 2
  readyState = 1
  onopen: (() => void) | null = null
  onerror: (() => void) | null = null
  constructor(readonly url: string) {
    super()
    Stream.now = this
  }
  close(): void {
    this.readyState = 2
  }
  tell(topic: string, revision: number, data: unknown): void {
    this.dispatchEvent(new MessageEvent('snapshot', { data: JSON.stringify({ topic, revision, data }) }))
  }
}

let world: World | undefined
afterEach(() => {
  world?.close()
  world = undefined
})
const page = (): string => document.body.textContent ?? ''

describe('my place in line', () => {
  it('is live: from three ahead to being called, without a reload', async () => {
    world = await open('/line/tkt_1', member, { 'GET /queue/tickets/tkt_1': place })
    vi.stubGlobal('EventSource', Stream)
    document.dispatchEvent(new Event('visibilitychange'))
    await until(() => expect(page()).toContain('3 人'))
    expect(page()).toContain('10:05 前可以走动')
    expect(page()).toContain('10:10–10:25'.replace('–', '\u2013'))
    expect(page()).toContain('准时报到，前面有三位')
    expect(page()).toContain('电梯出门左转')
    await until(() => expect(Stream.now?.url).toContain(encodeURIComponent('ticket:tkt_1')))
    Stream.now?.tell('ticket:tkt_1', 2, { ...place, ahead: 0, estimate: null, walk_until: null })
    await until(() => expect(page()).toContain('您是下一位'))
    expect(page()).toContain('请在候诊区等候')
    Stream.now?.tell('ticket:tkt_1', 3, {
      ...place,
      state: 'called',
      room: { id: 'rom_5', name: two('5 诊室', 'Room 5') },
    })
    await until(() => expect(page()).toContain('请到 5 诊室'))
    // An older snapshot that was overtaken tells nothing.
    Stream.now?.tell('ticket:tkt_1', 1, place)
    await new Promise((resume) => setTimeout(resume, 20))
    expect(page()).toContain('请到 5 诊室')
    expect(world.asked('GET /queue/tickets/tkt_1')).toHaveLength(1)
  })

  it('asks before it gives the place up', async () => {
    world = await open('/line/tkt_1', member, {
      'GET /queue/tickets/tkt_1': place,
      'POST /queue/tickets/tkt_1/leave': { ...place, state: 'left', ahead: null },
    })
    ;(await until(() => byRole('button', '不等了，退出排队'))).click()
    await until(() => expect(page()).toContain('退出后号码作废'))
    expect(world.asked('POST /queue/tickets/tkt_1/leave')).toHaveLength(0)
    byRole('button', '退出排队').click()
    await until(() => expect(page()).toContain('您已退出排队'))
  })
})

describe('the sign in the waiting area', () => {
  it('is one action where there is one thing to do: the number is taken at once', async () => {
    world = await open('/here/CODE', member, {
      'GET /queue/places/CODE': here,
      'POST /queue/numbers': { tickets: [{ ...place, queue: { ...place.queue, kind: 'lab' } }] },
      'GET /queue/tickets/tkt_1': place,
    })
    await until(() => expect(page()).toContain('A018'))
    const asked = world.asked('POST /queue/numbers')
    expect(asked.map((one) => one.body)).toEqual([{ code: 'CODE', order_id: 'ord_1' }])
  })

  it('lets people choose where there is more than one', async () => {
    const both = {
      ...here,
      mine: { ...here.mine, orders: [order, { ...order, order_id: 'ord_2', title: two('尿常规', 'Urine') }] },
    }
    world = await open('/here/CODE', member, {
      'GET /queue/places/CODE': both,
      'POST /queue/numbers': { tickets: [place] },
      'GET /queue/tickets/tkt_1': place,
    })
    await until(() => byRole('button', /血常规/))
    expect(world.asked('POST /queue/numbers')).toHaveLength(0)
    byRole('button', /尿常规/).click()
    await until(() =>
      expect(world?.asked('POST /queue/numbers')[0]?.body).toEqual({ code: 'CODE', order_id: 'ord_2' }),
    )
  })

  it.each([
    ['place_code_forged', 422, '不是医院发布的'],
    ['place_code_elsewhere', 409, '另一家医院'],
    ['place_code_expired', 410, '已停用'],
  ])('says what is wrong with a code: %s', async (code, status, words) => {
    world = await open('/here/BAD', member, { 'GET /queue/places/BAD': problem(status, code) })
    await until(() => expect(byRole('alert').textContent).toContain(words))
  })

  it('tells doctors of one department apart, and says what is missing before a number can be had', async () => {
    const doctor = (id: string, zh: string, en: string) => ({
      id,
      kind: 'clinic',
      name: two('皮肤科', 'Dermatology'),
      doctor_name: two(zh, en),
      title: two('主治医师', 'Attending physician'),
      numbers: true,
      waiting: 2,
    })
    const lines = {
      ...here,
      queues: [doctor('que_8', '李华', 'Li Hua'), doctor('que_9', '王芳', 'Wang Fang')],
      mine: { ...here.mine, orders: [] },
    }
    world = await open('/here/CODE', member, { 'GET /queue/places/CODE': lines })
    await until(() => byRole('button', /现场取号：皮肤科 李华/))
    byRole('button', /现场取号：皮肤科 王芳/)
    world.close()
    const nobody = { ...member, persons: [], default_person_id: null }
    world = await open('/here/CODE', nobody, { 'GET /queue/places/CODE': lines })
    await until(() => byRole('link', '添加就诊人'))
    expect(page()).toContain('请先添加就诊人')
  })

  it('asks who it is before it does anything', async () => {
    world = await open('/here/CODE', guest, { 'GET /queue/places/CODE': here })
    await until(() => byRole('button', '登录'))
    expect(world.asked('GET /queue/places/CODE')).toHaveLength(0)
  })
})

describe('today at the hospital', () => {
  const nothing = {
    'GET /queue/tickets': { items: [] },
    'GET /queue/orders': { items: [] },
    'GET /queue/pickups': { items: [] },
  }
  const locate = (answer: (done: PositionCallback, fail: PositionErrorCallback) => void): void => {
    const geolocation = { getCurrentPosition: answer } as Geolocation
    vi.spyOn(navigator, 'geolocation', 'get').mockReturnValue(geolocation)
  }

  it('checks in by position, with how sure the phone is', async () => {
    locate((done) =>
      done({ coords: { latitude: 31.2, longitude: 121.4, accuracy: 24.3 } } as GeolocationPosition),
    )
    world = await open('/today', member, {
      ...nothing,
      'GET /appointments': { items: [{ ...visit, date: TODAY }] },
      'POST /queue/check-ins': { tickets: [place] },
      'GET /queue/tickets/tkt_1': place,
    })
    ;(await until(() => byRole('button', '我到了，报到'))).click()
    await until(() => expect(page()).toContain('A018'))
    expect(world.asked('POST /queue/check-ins')[0]?.body).toEqual({
      appointment_id: 'apt_1',
      position: { latitude: 31.2, longitude: 121.4, accuracy_m: 25 },
    })
  })

  it('says what to do when the phone is too far off, or may not tell', async () => {
    locate((done) => done({ coords: { latitude: 1, longitude: 1, accuracy: 9 } } as GeolocationPosition))
    world = await open('/today', member, {
      ...nothing,
      'GET /queue/orders': { items: [order] },
      'POST /queue/numbers': problem(409, 'not_here', { distance_m: 900 }),
    })
    ;(await until(() => byRole('button', /^取号/))).click()
    await until(() => expect(byRole('alert').textContent).toContain('离诊区还有些远'))
    locate((_, fail) => fail({ code: 1, PERMISSION_DENIED: 1 } as GeolocationPositionError))
    byRole('button', /^取号/).click()
    await until(() => expect(byRole('alert').textContent).toContain('没有允许使用位置'))
    expect(world.asked('POST /queue/numbers')).toHaveLength(1)
  })
})

it('anybody sees how many wait for each specialist', async () => {
  const item = {
    queue_id: 'que_1',
    name: two('心血管内科', 'Cardiology'),
    doctor_name: two('李明', 'Li Ming'),
    department_name: two('心血管内科', 'Cardiology'),
    kind: 'clinic',
    waiting: 7,
    estimate: { low_min: 30, high_min: 45 },
    state: 'open',
    takes_numbers: true,
  }
  world = await open(
    '/waiting',
    guest,
    { 'GET /queue/waiting': { items: [item], rendered_at: at('10:00') } },
    'en',
  )
  await until(() => expect(page()).toContain('7 waiting'))
  expect(page()).toContain('Li Ming')
})
