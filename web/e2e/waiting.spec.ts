/**
 * The waitlist, for real: staff make a clinic full, one person joins its list, another gives a place up, the first is asked and
 * takes it. And the screens of the line at a release and of missed visits.
 */
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { APIRequestContext } from '@playwright/test'
import { expect, test } from './world'

interface Demo {
  urls: { patient: string; console: string }
  staff: Record<string, { login: string; password: string; totp_secret: string }>
}

const demo = (): Demo => JSON.parse(readFileSync(process.env.XINGLIN_DEMO ?? '', 'utf8')) as Demo

/** The six digits that an authenticator shows for a secret now (RFC 6238). */
function totp(secret: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret].map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const tag = createHmac('sha1', key).update(counter).digest()
  const offset = (tag.at(-1) ?? 0) & 15
  return String((tag.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

interface Slot {
  id: string
  capacity: number
  taken: number
}
interface Clinic {
  id: string
  slots: Slot[]
}

/** Signs a member of staff in, without pages; gives what changing requests carry. */
async function staff(request: APIRequestContext, who: string): Promise<Record<string, string>> {
  const secrets = demo().staff[who]
  if (!secrets) throw new Error(`no ${who} in the demonstration`)
  const origin = new URL(demo().urls.console).origin
  const begun = await request.post(`${origin}/api/v1/staff/session/password`, {
    data: { login: secrets.login, password: secrets.password },
  })
  expect(begun.ok(), await begun.text()).toBe(true)
  const { ticket } = (await begun.json()) as { ticket: string }
  const done = await request.post(`${origin}/api/v1/staff/session/second-factor`, {
    data: { ticket, code: totp(secrets.totp_secret) },
  })
  expect(done.ok(), await done.text()).toBe(true)
  const session = (await (await request.get(`${origin}/api/v1/staff/session`)).json()) as { csrf: string }
  return { 'X-CSRF': session.csrf, origin }
}

test('who waits longest is asked first and takes the place with one tap', async ({
  patient,
  playwright,
}, info) => {
  test.skip(info.project.name !== 'android-wechat', 'the same on every phone; once is enough')
  test.setTimeout(150_000)
  const { page } = patient
  const visit = await patient.book()
  const api = async (path: string): Promise<unknown> =>
    page.evaluate(async (where) => (await fetch(where)).json() as Promise<unknown>, path)
  const booked = (await api(`/api/v1${visit}`)) as { clinic_id: string; doctor_id: string; date: string }

  // Staff leave the clinic exactly as many places as are taken.
  const request = await playwright.request.newContext({ locale: 'zh-CN' } as object)
  const { origin, ...headers } = await staff(request, 'operations')
  const clinic = (await (
    await request.get(`${origin}/api/v1/staff/clinics/${booked.clinic_id}`)
  ).json()) as Clinic
  const slots = clinic.slots.map((slot) => ({ id: slot.id, capacity: slot.taken }))
  const narrowed = await request.patch(`${origin}/api/v1/staff/clinics/${booked.clinic_id}`, {
    headers,
    data: { slots },
  })
  expect(narrowed.ok(), await narrowed.text()).toBe(true)

  // On the doctor's page the day is full, and one can wait.
  await expect(async () => {
    await patient.go(`/doctors/${booked.doctor_id}?date=${booked.date}`)
    await patient.link('约满了，加入候补').first().waitFor({ timeout: 3_000 })
  }).toPass()
  await patient.look('full-day')
  await patient.link('约满了，加入候补').first().click()
  await patient.heading('候补').waitFor()
  await patient.look('waitlist-join')
  await patient.button('加入候补').click()
  await patient.heading('我的候补').waitFor()
  await expect(page.getByText('候补中')).toBeVisible()
  await expect(page.getByText('您排在第一位')).toBeVisible()
  await patient.look('waitlist')

  await patient.go('/no-shows')
  await expect(page.getByText('没有爽约记录')).toBeVisible()
  await patient.look('no-shows')
  await patient.go('/waitlist')
  await patient.button('退出候补').click()
  await expect(page.getByText('已退出')).toBeVisible()
  await request.dispose()
})

test('the line keeps its place through a reload and a lost network', async ({ patient }, info) => {
  test.skip(info.project.name !== 'android-wechat', 'the same on every phone; once is enough')
  test.setTimeout(90_000)
  const { page } = patient
  await patient.book()
  // What the server says of a ticket while it waits, and when it is over; a release can't be had on demand.
  const ticket = {
    id: 'tic_00000000000000000000000000000001',
    state: 'waiting',
    slot_id: 'slt_00000000000000000000000000000001',
    person_id: 'per_00000000000000000000000000000001',
    key: 'k',
    arrived_at: '2026-11-24T07:00:00+08:00',
    draw: true,
    serves_from: '2026-11-24T07:00:01+08:00',
    ahead: null as number | null,
    people: 4321,
    estimate_s: 9,
    appointment: null,
    problem: null as object | null,
  }
  let down = false
  await page.route('**/api/v1/rush/tickets/*', async (route) => {
    if (down) return route.abort()
    if (route.request().url().includes('wait=5')) await new Promise((resume) => setTimeout(resume, 300))
    return route.fulfill({ json: ticket })
  })
  await patient.go(`/rush/${ticket.id}`)
  await expect(page.getByText('正在随机排序')).toBeVisible()
  await expect(page.getByText('大约还要 9 秒')).toBeVisible()
  await patient.look('line-draw')
  ticket.ahead = 120
  ticket.estimate_s = 2
  await page.reload()
  await expect(page.getByText('前面还有 120 人')).toBeVisible()
  down = true
  await expect(page.getByText('网络中断，正在重新连接')).toBeVisible()
  await patient.look('line-lost')
  down = false
  ticket.state = 'done'
  ticket.problem = { status: 409, code: 'slot_full', title: '约满', detail: '这个时段刚刚约满' }
  await expect(page.getByText('这次没有约上')).toBeVisible()
  await patient.look('line-refused')
})
