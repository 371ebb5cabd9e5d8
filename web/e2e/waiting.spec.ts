/** Joining and leaving the waitlist of a day that staff make full; the screens of the line at a release, and of missed visits. */
import { readFileSync } from 'node:fs'
import type { APIRequestContext } from '@playwright/test'
import { totp, type Demo } from './staff'
import { expect, test } from './world'

/** Signs a member of staff in, without pages; gives what changing requests carry, and where the server is. */
async function staff(
  request: APIRequestContext,
  who: string,
): Promise<{ headers: Record<string, string>; origin: string }> {
  const demo = JSON.parse(readFileSync(process.env.XINGLIN_DEMO ?? '', 'utf8')) as Demo
  const secrets = demo.staff[who]
  if (!secrets) throw new Error(`no ${who} in the demonstration`)
  const origin = new URL(demo.urls.console).origin
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
  return { headers: { 'X-CSRF': session.csrf }, origin }
}

test('a full day offers its waitlist, which one can join and leave', async ({
  patient,
  playwright,
}, info) => {
  test.skip(info.project.name !== 'android-wechat', 'the same on every phone; once is enough')
  test.setTimeout(150_000)
  const { page } = patient
  const visit = await patient.book()
  const api = async <T>(path: string): Promise<T> =>
    page.evaluate(async (where) => (await fetch(where)).json() as Promise<unknown>, path) as Promise<T>
  const booked = await api<{ doctor_id: string; date: string }>(`/api/v1${visit}`)

  // A day ahead, so that it does not matter what time it is: the doctor's next clinic after the booked one.
  const { items } = await api<{ items: { id: string; date: string }[] }>(
    `/api/v1/doctors/${booked.doctor_id}/clinics`,
  )
  const clinic = items.find((one) => one.date > booked.date)
  if (!clinic) throw new Error('the doctor has one day only')

  // Staff leave it exactly as many places as are taken.
  const request = await playwright.request.newContext({ locale: 'zh-CN' } as object)
  const { origin, headers } = await staff(request, 'operations')
  const planned = (await (await request.get(`${origin}/api/v1/staff/clinics/${clinic.id}`)).json()) as {
    slots: { id: string; taken: number }[]
  }
  const slots = planned.slots.map((slot) => ({ slot_id: slot.id, capacity: slot.taken }))
  const narrowed = await request.patch(`${origin}/api/v1/staff/clinics/${clinic.id}`, {
    headers,
    data: { slots },
  })
  expect(narrowed.ok(), await narrowed.text()).toBe(true)
  await request.dispose()

  await expect(async () => {
    await patient.go(`/doctors/${booked.doctor_id}?date=${clinic.date}`)
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
  await patient.go('/waitlist')
  await patient.button('退出候补').click()
  await expect(page.getByText('已退出')).toBeVisible()
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
