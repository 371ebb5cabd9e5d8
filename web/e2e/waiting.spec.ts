/** The screens of the line at a release, and of missed visits. */
import { expect, test } from './world'

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
