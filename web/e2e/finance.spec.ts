/**
 * The finance office through a day: a drawer, a bill from any number down to what proved it, a refund that two people agree on,
 * the day's report; and the next morning a difference that two people settle, so that the day closes.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, type APIRequestContext, type Browser, type Page } from '@playwright/test'
import { ownDemo, type OwnDemo } from './demo'
import { Payer } from './payer'
import { look as lookAt, totp } from './staff'

const HOUR = 3_600_000
const shots = join(import.meta.dirname, '../shots/finance')
let demo: OwnDemo

test.beforeAll(async () => {
  test.setTimeout(180_000)
  demo = await ownDemo()
})
test.afterAll(() => demo?.stop())

/** The demonstration's own time. */
async function now(request: APIRequestContext): Promise<number> {
  const told = (await (await request.get(`${demo.urls.phones}sim/v1/clock`)).json()) as { now_ms: number }
  return told.now_ms
}

/** Moves the clock on to the next such hour where the hospital stands, and so many days more. */
async function moveTo(request: APIRequestContext, hour: number, days = 0): Promise<void> {
  const local = (await now(request)) + 8 * HOUR
  const next = (hour * HOUR - (local % (24 * HOUR)) + 24 * HOUR) % (24 * HOUR)
  const by = next + days * 24 * HOUR
  const moved = await request.post(`${demo.urls.phones}sim/v1/clock`, { data: { advance_ms: by } })
  expect(moved.ok(), await moved.text()).toBe(true)
}

async function desk(browser: Browser, who: string): Promise<Page> {
  const member = demo.staff[who]
  if (!member) throw new Error(`no ${who} in the demonstration`)
  const context = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  await page.goto(demo.urls.console)
  await page.getByLabel('账号').fill(member.login)
  await page.getByLabel('密码', { exact: true }).fill(member.password)
  await page.getByRole('button', { name: '下一步' }).click()
  await page.getByRole('heading', { name: '输入验证码' }).waitFor()
  await page.getByLabel('验证码').fill(totp(member.totp_secret, await now(context.request)))
  await page.getByRole('button', { name: '登录' }).click()
  await page.locator('.top-who').waitFor()
  return page
}

/** Looks at a page once the line that something was done has gone from over it. */
async function look(page: Page, name: string): Promise<void> {
  await expect(page.locator('.said-on')).toHaveCount(0)
  await lookAt(page, name, 'finance')
}

const go = async (page: Page, path: string): Promise<void> => {
  await page.goto(demo.urls.console + path)
  await page.locator('h1').waitFor()
}

test('a day of the finance office, closed on the next morning', async ({ browser, request }) => {
  test.setTimeout(420_000)
  const sim = demo.urls.phones
  // Away from midnight, where a payment may stand in the next day's bill.
  await moveTo(request, 9)

  // The limit from which two people are needed: always.
  const admin = await desk(browser, 'admin')
  await go(admin, 'settings')
  const section = admin.locator('form', { hasText: '收费与退款' })
  await section.getByLabel('窗口退费、对账差异达到多少分需要第二人复核').fill('0')
  await section.getByRole('button', { name: '保存这一组' }).click()
  await expect(section.getByText('默认：10000')).toBeVisible()

  // One patient pays on the phone, another keeps a place and comes to the window.
  const online = await Payer.open(browser, request, sim, '线上')
  await online.pays(/心血管内科/)
  const bank = (await (await request.get(`${sim}sim/v1/wechatpay`)).json()) as {
    orders: Record<string, { transaction_id: string | null }>
  }
  const number = Object.values(bank.orders).find((one) => one.transaction_id)?.transaction_id ?? ''
  expect(number).not.toBe('')
  const counter = await Payer.open(browser, request, sim, '窗口')
  await counter.choose(/呼吸内科/)
  await counter.hold()
  const held = /apt_\w+/.exec(counter.page.frames().at(-1)?.url() ?? '')?.[0] ?? ''
  expect(held).not.toBe('')

  // The drawer: no money without a shift; cash with change; the phone knows at once.
  const finance = await desk(browser, 'finance')
  await finance.getByRole('link', { name: '收费窗口' }).click()
  await finance.getByRole('heading', { name: '开班' }).waitFor()
  await finance.getByLabel('备用金（元）').fill('两百')
  await finance.getByRole('button', { name: '开班' }).click()
  await expect(finance.getByText('金额不对，请检查。')).toBeVisible()
  await finance.getByLabel('备用金（元）').fill('200')
  await look(finance, '01-till-open')
  await finance.getByRole('button', { name: '开班' }).click()
  await expect(finance.getByText('已开班。')).toBeVisible()
  await finance.getByLabel('签到码或预约编号').fill('apt_nobody')
  await finance.getByRole('button', { name: '查找' }).click()
  await expect(finance.getByText('没有找到，请核对编号。')).toBeVisible()
  await finance.getByLabel('签到码或预约编号').fill(held)
  await finance.getByRole('button', { name: '查找' }).click()
  await finance.getByText('应收').waitFor()
  await finance.getByLabel('实收现金（元）').fill('1')
  await expect(finance.getByText(/还差 ¥/)).toBeVisible()
  await expect(finance.getByRole('button', { name: /^收款 ¥/ })).toBeDisabled()
  await finance.getByLabel('实收现金（元）').fill('500')
  await expect(finance.getByText(/找零 ¥/)).toBeVisible()
  await look(finance, '02-till-take')
  await finance.getByRole('button', { name: /^收款 ¥/ }).click()
  await expect(finance.getByText(/已收 ¥/)).toBeVisible()
  await expect(counter.app.getByRole('heading', { name: '预约成功' })).toBeVisible()
  await look(finance, '03-till-taken')

  // From the platform's number on the payer's phone to the bill, and down to what proved it.
  await finance.getByRole('link', { name: '账单查询' }).click()
  await finance.getByRole('heading', { name: '账单查询', level: 1 }).waitFor()
  await finance.getByLabel('编号', { exact: true }).fill('4200-nothing')
  await finance.getByRole('button', { name: '查找' }).click()
  await expect(finance.getByText('没有这个编号的账单。')).toBeVisible()
  await finance.getByLabel('编号', { exact: true }).fill(number)
  await finance.getByRole('button', { name: '查找' }).click()
  await expect(finance.getByRole('heading', { name: '账本' })).toBeVisible()
  await finance.getByRole('button', { name: '看凭据' }).first().click()
  await expect(finance.getByRole('dialog', { name: '凭据' })).toContainText(number)
  await look(finance, '04-observation')
  await finance.getByRole('dialog').getByRole('button', { name: '关闭' }).click()
  await finance.getByRole('button', { name: '申请退款' }).click()
  const form = finance.getByRole('dialog', { name: '申请退款' })
  await form.getByLabel('退款金额（元）').fill('9999')
  await form.getByLabel(/退款原因/).fill('医生临时换人')
  await form.getByRole('button', { name: '申请退款' }).click()
  await expect(form.getByText('超过了还能退的金额。')).toBeVisible()
  await form.getByLabel('退款金额（元）').fill('1.50')
  await look(finance, '05-ask-refund')
  await form.getByRole('button', { name: '申请退款' }).click()
  await expect(finance.getByText('已提交，等另一位同事复核。')).toBeVisible()
  await look(finance, '06-bill')
  const bill = finance.url()

  // Nobody approves what they asked for; a colleague does.
  await go(finance, 'refunds?state=asked')
  await finance.getByRole('button', { name: '同意', exact: true }).click()
  await finance.getByRole('dialog').getByRole('button', { name: '同意', exact: true }).click()
  await expect(finance.getByText('自己申请的不能自己复核，请另一位同事处理。')).toBeVisible()
  const cashier = await desk(browser, 'cashier')
  await cashier.getByRole('link', { name: '退款', exact: true }).click()
  await expect(cashier.getByRole('row', { name: /医生临时换人.*1\.50.*finance.*待复核/ })).toBeVisible()
  await look(cashier, '07-refunds')
  await cashier.getByRole('button', { name: '同意', exact: true }).click()
  await cashier.getByRole('dialog').getByRole('button', { name: '同意', exact: true }).click()
  await expect(cashier.getByText('已同意，正在退回。')).toBeVisible()
  await expect(async () => {
    await finance.goto(bill)
    await expect(finance.getByRole('row', { name: /医生临时换人.*已退回/ })).toBeVisible({ timeout: 3_000 })
  }).toPass({ timeout: 60_000 })
  await look(finance, '08-bill-refunded')

  // The drawer is counted: a yuan is missing and explained.
  await finance.getByRole('link', { name: '收费窗口' }).click()
  const expected = await finance.getByText('钱箱里应有').locator('xpath=following-sibling::dd').innerText()
  const should = Number(expected.replace(/[¥,]/g, ''))
  expect(should).toBeGreaterThan(200)
  await finance.getByLabel('实点金额（元）').fill((should - 1).toFixed(2))
  await expect(finance.getByText('少 ¥1.00')).toBeVisible()
  await finance.getByRole('button', { name: '交班' }).click()
  await expect(finance.getByText('实点金额与应有金额不符，请写明情况。')).toBeVisible()
  await finance.getByLabel('差额情况').fill('少找回一元')
  await look(finance, '09-till-close')
  await finance.getByRole('button', { name: '交班' }).click()
  await finance.getByRole('dialog').getByRole('button', { name: '交班' }).click()
  await expect(finance.getByText(/已交班/)).toBeVisible()
  await finance.getByRole('link', { name: '班次' }).click()
  await expect(finance.getByRole('row', { name: /finance.*-1\.00.*少找回一元/ })).toBeVisible()
  await look(finance, '10-shifts')

  // The day's report: on screen, as a file, on paper.
  await finance.getByRole('link', { name: '收入日报' }).click()
  await expect(finance.getByRole('row', { name: /微信支付.*1\.50/ })).toBeVisible()
  await expect(finance.getByRole('row', { name: /现金（窗口）/ })).toBeVisible()
  await expect(finance.getByRole('row', { name: /呼吸内科/ })).toBeVisible()
  await look(finance, '11-takings')
  const [file] = await Promise.all([
    finance.waitForEvent('download'),
    finance.getByRole('button', { name: '导出 CSV' }).click(),
  ])
  expect(readFileSync(await file.path(), 'utf8')).toMatch(/微信支付,1,[\d.]+,1,1\.50,[\d.]+/)
  const today = /takings-([\d-]{10})/.exec(file.suggestedFilename())?.[1] ?? ''
  await finance.emulateMedia({ media: 'print' })
  mkdirSync(shots, { recursive: true })
  await expect(finance.getByText('制表')).toBeVisible()
  await expect(finance.getByRole('navigation')).toBeHidden()
  await finance.pdf({ path: join(shots, 'takings.pdf'), format: 'A4', preferCSSPageSize: true })
  await finance.screenshot({ path: join(shots, '12-takings-paper.png'), fullPage: true })
  await finance.emulateMedia({ media: 'screen' })
  await finance.getByRole('button', { name: 'English' }).click()
  await finance.getByRole('heading', { name: 'Takings' }).waitFor()
  await look(finance, '13-takings-en')

  // The next morning the platform's bill has a fen more than we.
  const wrong = await request.put(`${sim}sim/v1/pay-faults`, { data: { bill_change: true } })
  expect(wrong.ok(), await wrong.text()).toBe(true)
  await moveTo(request, 11, 1)
  const next = await desk(browser, 'finance')
  await next.getByRole('link', { name: '对账', exact: true }).click()
  // A reload before the page is there would load the one before it.
  await next.getByRole('heading', { name: '对账', level: 1 }).waitFor()
  const difference = next.getByRole('row', { name: /收款 · 金额不同/ })
  const own = next.getByRole('row', { name: new RegExp(`${today}.*demo-wechat.*重新核对`) })
  await expect(async () => {
    await next.reload()
    await own.waitFor({ timeout: 3_000 })
    if (await difference.isVisible()) return
    await own.getByRole('button', { name: '重新核对' }).click()
    await expect(difference).toBeVisible({ timeout: 5_000 })
  }).toPass({ timeout: 120_000 })
  await look(next, '14-days')
  await difference.getByRole('button', { name: '写说明' }).click()
  await next.getByLabel('查到的情况').fill('平台账单多记一分，已向平台核实')
  await look(next, '15-explain')
  await next.getByRole('dialog').getByRole('button', { name: '写说明' }).click()
  await expect(next.getByText('已提交，等另一位同事复核。')).toBeVisible()
  const second = await desk(browser, 'cashier')
  await go(second, `reconciliation?from=${today}&to=${today}`)
  await look(second, '16-agree')
  await second.getByRole('button', { name: '同意', exact: true }).click()
  await second.getByRole('dialog').getByRole('button', { name: '同意', exact: true }).click()
  await expect(second.getByText('已同意，正在重新核对这一天。')).toBeVisible()
  await expect(async () => {
    await second.reload()
    await expect(second.getByRole('row', { name: new RegExp(`${today}.*demo-wechat.*已结清`) })).toBeVisible({
      timeout: 2_000,
    })
  }).toPass({ timeout: 120_000 })
  await look(second, '17-closed')
  await go(second, 'unplaced')
  await expect(second.getByRole('heading', { name: '异常' })).toBeVisible()
  await look(second, '18-unplaced')
})
