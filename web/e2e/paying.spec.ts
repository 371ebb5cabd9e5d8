/**
 * Money on a phone: booked with payment online, paid on the sheet that WeChat shows, the receipt, and the refund of a visit
 * that is given up; and what is not paid at first.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from '@playwright/test'
import { Payer } from './payer'

const sim = (): string => {
  const demo = JSON.parse(readFileSync(process.env.XINGLIN_DEMO ?? '', 'utf8')) as {
    urls: { phones: string }
  }
  return demo.urls.phones
}

test('booked, paid by WeChat Pay, given up, and the money is back', async ({ browser, request }) => {
  test.setTimeout(120_000)
  // A bank that takes its time, so that a person sees the refund on its way.
  const slow = await request.patch(`${sim()}sim/v1/wechatpay`, { data: { refund_takes_ms: 6_000 } })
  expect(slow.ok(), await slow.text()).toBe(true)
  const payer = await Payer.open(browser, request, sim(), '付款')
  const { app, page } = payer
  await payer.choose(/心血管内科/)
  await payer.look('confirm')
  await payer.hold()
  await payer.look('pay')
  await payer.sheet()
  await page.screenshot({ path: 'shots/paying/付款-sheet.png' })
  await payer.press('付款')
  await expect(app.getByRole('heading', { name: '预约成功' })).toBeVisible()
  await expect(app.getByText(/挂号费 ¥[\d.]+ 已付清/)).toBeVisible()
  await payer.look('done')
  await app.getByRole('link', { name: '查看预约' }).click()
  await expect(app.getByText('已支付', { exact: true })).toBeVisible()
  await payer.look('visit')

  // The bill is the receipt.
  await app.getByRole('link', { name: '账单与退款' }).click()
  await expect(app.getByRole('heading', { name: '我的账单' })).toBeVisible()
  await payer.look('bills')
  await app.getByRole('link', { name: /门诊挂号费/ }).click()
  await expect(app.getByRole('heading', { name: '收据' })).toBeVisible()
  await expect(app.getByText('微信支付').first()).toBeVisible()
  await payer.look('bill')

  // Given up: the refund is on its way, then there.
  await app.getByRole('link', { name: '查看预约' }).click()
  await app.getByRole('button', { name: '取消预约' }).click()
  await app.getByRole('button', { name: '确定取消' }).click()
  await expect(app.getByText(/已取消，号已退回/)).toBeVisible()
  await payer.look('cancelled')
  await app.getByRole('link', { name: '账单与退款' }).click()
  await expect(app.getByRole('link', { name: /门诊挂号费.*已退款/ })).toBeVisible()
  await app.getByRole('link', { name: /门诊挂号费/ }).click()
  await expect(app.getByText(/正在退款|等待银行到账/)).toBeVisible()
  await payer.look('refund')
  await expect(app.getByText(/已到账/)).toBeVisible({ timeout: 40_000 })
  await payer.look('refunded')
  // The hospital tells it, too.
  await expect(async () => expect(await payer.told()).toMatch(/退款|退回/)).toPass()
})

test('who walks away, or has no money, pays again; and who is gone with the money has the place', async ({
  browser,
  request,
}) => {
  test.setTimeout(120_000)
  const payer = await Payer.open(browser, request, sim(), '再付')
  const { app, page } = payer
  await payer.choose(/呼吸内科/)
  await payer.hold()
  // Walks away from the sheet.
  await payer.sheet()
  await page.getByRole('dialog').getByRole('button', { name: '取消', exact: true }).click()
  await expect(app.getByText('还没有付款')).toBeVisible({ timeout: 20_000 })
  await payer.look('walked-away')
  // Not enough in the account.
  await payer.sheet()
  await payer.press('付款失败（余额不足）')
  await expect(app.getByText('还没有付款')).toBeVisible({ timeout: 20_000 })
  // Pays, and the page never hears of it.
  await payer.sheet()
  await payer.press('付款后马上退出（网页不知道）')
  await expect(app.getByRole('heading', { name: '预约成功' })).toBeVisible({ timeout: 20_000 })
  await payer.look('done')
  // One bill, paid once.
  await app.getByRole('link', { name: '查看预约' }).click()
  await app.getByRole('link', { name: '账单与退款' }).click()
  await app.getByRole('link', { name: /门诊挂号费.*已支付/ }).click()
  await expect(app.getByRole('heading', { name: '收据' })).toHaveCount(1)
})
