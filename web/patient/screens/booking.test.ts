/** The way to a booked visit, screen by screen, as a person with a screen reader would go it. */
import { allByRole, byRole, nameOf, type as typeInto, until } from '@shared/test/roles'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { WAITS_MS } from '../lib/send'
import { clinic, doctor, guest, Lost, member, open, person, problem, visit, type World } from '../test/world'

const CONFIRM = '/confirm?slot=slt_1&date=2026-11-26&doctor=doc_1'
let world: World | undefined

afterEach(() => {
  vi.useRealTimers()
  world?.close()
  world = undefined
})

const press = (role: 'button' | 'link', name: string | RegExp): void => byRole(role, name).click()

describe('departments', () => {
  it('are listed under their main department, with what is left', async () => {
    world = await open('/departments')
    await until(() => byRole('link', /心血管内科.*余 9/))
    expect(byRole('heading', '内科')).toBeTruthy()
    expect(allByRole('link', /^内科/)).toHaveLength(0)
    expect(document.title).toBe('选择科室 · 杏林医院')
  })

  it('are found by initials at once, and doctors by the server', async () => {
    world = await open('/departments')
    await until(() => byRole('link', /眼科/))
    typeInto(byRole('searchbox'), 'xxg')
    await until(() => expect(allByRole('link', /眼科/)).toHaveLength(0))
    expect(byRole('link', /心血管内科/)).toBeTruthy()
    vi.useFakeTimers()
    typeInto(byRole('searchbox'), 'lm')
    await vi.advanceTimersByTimeAsync(300)
    vi.useRealTimers()
    await until(() => byRole('link', /预约 11月26日 周四 08:00/))
  })

  it('say what to do when the network is gone', async () => {
    world = await open('/departments', guest, { 'GET /departments': new Lost() })
    await until(() => byRole('alert'))
    expect(byRole('alert').textContent).toContain('没有网络连接')
    expect(byRole('alert').textContent).toContain('已有的预约不受影响')
    world.on['GET /departments'] = { items: [] }
    press('button', '重试')
    await until(() => expect(document.body.textContent).toContain('目前没有开放预约的科室'))
  })
})

describe('doctors', () => {
  it('show the next free time, one tap from checking', async () => {
    world = await open('/departments/dep_2')
    await until(() => byRole('link', /预约 11月26日 周四 08:00.*李明，主任医师/))
    press('link', /预约 11月26日 周四 08:00/)
    await until(() => byRole('heading', '核对并确认'))
    expect(world.router.currentRoute.value.fullPath).toBe(CONFIRM)
  })

  it('open the times of a day over the page, where full ones can’t be pressed', async () => {
    world = await open('/doctors/doc_1')
    press('button', await until(() => nameOf(byRole('button', /11月26日 周四.*余 5/))))
    await until(() => byRole('dialog', '11月26日 周四的时间'))
    const full = byRole('button', /09:00 – 09:30|09:00 ?– ?09:30/) as HTMLButtonElement
    expect(full.disabled).toBe(true)
    expect(nameOf(full)).toContain('约满')
    press('button', /08:30 ?– ?09:00 余 3/)
    await until(() => byRole('heading', '核对并确认'))
    expect(world.router.currentRoute.value.query.slot).toBe('slt_2')
  })

  it('tell when numbers will be released', async () => {
    const later = clinic({ state: 'not_open', opens_at: '2026-11-24T07:00:00+08:00' })
    world = await open('/doctors/doc_1', guest, { 'GET /doctors/doc_1/clinics': { items: [later] } })
    await until(() => expect(document.body.textContent).toContain('明天 07:00 放号'))
    expect(allByRole('link', /^预约/)).toHaveLength(0)
  })

  it('are named in English with the characters in brackets', async () => {
    world = await open('/departments/dep_2', guest, {}, 'en')
    await until(() => byRole('link', /Book Thu 26 Nov, 08:00 Li Ming \(李明\), Chief physician/))
    expect(document.documentElement.lang).toBe('en')
  })
})

describe('check and confirm', () => {
  it('needs no sign-in to look, only to book', async () => {
    world = await open(CONFIRM)
    await until(() => byRole('button', '登录并预约'))
    expect(document.body.textContent).toContain('¥50.00')
    press('button', '登录并预约')
    await until(() => byRole('heading', '登录'))
    expect(world.router.currentRoute.value.query.to).toBe(CONFIRM)
    expect(world.asked('POST /appointments')).toHaveLength(0)
  })

  it('books once for a double tap and leaves no way back to the form', async () => {
    world = await open(CONFIRM, member, { 'POST /appointments': visit })
    const button = await until(() => byRole('button', '确认预约'))
    button.click()
    button.click()
    await until(() => byRole('heading', '预约成功'))
    const sent = world.asked('POST /appointments')
    expect(sent).toHaveLength(1)
    expect(sent[0]?.body).toEqual({ slot_id: 'slt_1', person_id: 'per_1' })
    expect(sent[0]?.headers.get('idempotency-key')).toMatch(/^[a-f0-9]{32}$/)
    expect(sent[0]?.headers.get('x-csrf')).toBe('member')
    expect(world.router.currentRoute.value.fullPath).toBe('/appointments/apt_1/done')
    await until(() => expect(document.body.textContent).toContain('接下来'))
  })

  it('keeps the choice when the place has just gone, and shows what is near', async () => {
    world = await open(CONFIRM, member, {
      'POST /appointments': problem(409, 'slot_full', {
        nearest: [{ ...doctor.next_free, slot_id: 'slt_2', start: '08:30' }],
      }),
    })
    const fresh = clinic({ remaining: 3 })
    fresh.slots = fresh.slots.map((slot) =>
      slot.id === 'slt_1' ? { ...slot, remaining: 0, state: 'full' } : slot,
    )
    const button = await until(() => byRole('button', '确认预约'))
    world.on['GET /doctors/doc_1/clinics'] = { items: [fresh] }
    button.click()
    await until(() => byRole('dialog'))
    expect(byRole('alert').textContent).toContain('这个时间刚刚被约走了')
    expect((byRole('button', /08:00 ?– ?08:30/) as HTMLButtonElement).disabled).toBe(true)
    press('button', '11月26日 周四 08:30')
    await until(() => expect(allByRole('dialog')).toHaveLength(0))
    expect(world.router.currentRoute.value.query.slot).toBe('slt_2')
    world.on['POST /appointments'] = { ...visit, slot_id: 'slt_2' }
    press('button', '确认预约')
    await until(() => byRole('heading', '预约成功'))
    expect(world.asked('POST /appointments')[1]?.body).toEqual({ slot_id: 'slt_2', person_id: 'per_1' })
  })

  it('asks again under the same key when the answer is lost, and says that this is safe', async () => {
    let tries = 0
    world = await open(CONFIRM, member, { 'POST /appointments': () => (++tries < 3 ? new Lost() : visit) })
    const button = await until(() => byRole('button', '确认预约'))
    vi.useFakeTimers()
    button.click()
    await vi.advanceTimersByTimeAsync(10)
    expect(document.body.textContent).toContain('同一个预约只会成功一次，不会重复挂号')
    await vi.advanceTimersByTimeAsync((WAITS_MS[0] ?? 0) + (WAITS_MS[1] ?? 0) + 10)
    vi.useRealTimers()
    await until(() => byRole('heading', '预约成功'))
    const keys = world.asked('POST /appointments').map((one) => one.headers.get('idempotency-key'))
    expect(keys).toHaveLength(3)
    expect(new Set(keys).size).toBe(1)
  })

  it('says why it was refused, and leads to the visit there is already', async () => {
    world = await open(CONFIRM, member, {
      'POST /appointments': problem(409, 'already_booked', { appointment_id: 'apt_1' }),
    })
    ;(await until(() => byRole('button', '确认预约'))).click()
    await until(() => byRole('alert'))
    expect(byRole('alert').textContent).toContain('已约了这位医生的这一场')
    expect(byRole('link', '查看已有的预约').getAttribute('href')).toBe('/appointments/apt_1')
  })

  it('asks for a person first when there is none', async () => {
    world = await open(CONFIRM, { ...member, persons: [], default_person_id: null })
    await until(() => byRole('link', '第一次来，新建就诊人'))
    expect(allByRole('button', '确认预约')).toHaveLength(0)
    expect(byRole('link', '来过本院，绑定已有档案').getAttribute('href')).toContain('/persons/bind?to=')
  })

  it('lets one choose among persons, not those who can’t be booked', async () => {
    const child = { ...person, id: 'per_2', name: '王小宝', relation: 'child' as const, is_default: false }
    const unready = {
      ...person,
      id: 'per_3',
      name: '王大山',
      bookable: false,
      why_not_bookable: 'document_missing',
    }
    world = await open(
      CONFIRM,
      { ...member, persons: [person, child, unready] },
      { 'POST /appointments': visit },
    )
    await until(() => byRole('radio', /王小宝/))
    expect((byRole('radio', /王秀英/) as HTMLInputElement).checked).toBe(true)
    expect((byRole('radio', /王大山.*补全就诊人的证件/) as HTMLInputElement).disabled).toBe(true)
    byRole('radio', /王小宝/).click()
    await until(() => byRole('button', '确认预约'))
    press('button', '确认预约')
    await until(() => byRole('heading', '预约成功'))
    expect(world.asked('POST /appointments')[0]?.body).toEqual({ slot_id: 'slt_1', person_id: 'per_2' })
  })

  it('moves a visit and says that the old place is kept until then', async () => {
    const moved = { ...visit, id: 'apt_2', slot_id: 'slt_2', moved_from: 'apt_1' }
    world = await open('/confirm?slot=slt_2&date=2026-11-26&doctor=doc_1&move=apt_1', member, {
      'POST /appointments/apt_1/move': moved,
      'GET /appointments/apt_2': moved,
    })
    await until(() => byRole('heading', '核对并改约'))
    await until(() => expect(document.body.textContent).toContain('原来的号还在：11月26日 周四 08:00'))
    press('button', '确认改约')
    await until(() => byRole('heading', '改约成功'))
    expect(world.asked('POST /appointments')).toHaveLength(0)
    expect(world.asked('POST /appointments/apt_1/move')[0]?.body).toEqual({ slot_id: 'slt_2' })
  })
})
