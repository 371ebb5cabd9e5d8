/** A screen is let in by the code that it shows, and a kiosk gives a number, in a demonstration of its own. */
import { expect, test } from '@playwright/test'
import { ask, BACK_MS, console_, device, Hospital, look, place } from './hospital'
import { reads } from './world'

const hospital = new Hospital()
test.beforeAll(async () => {
  test.setTimeout(180_000)
  await hospital.start()
})
test.afterAll(() => hospital.end())

test('a screen is let in by its code and shows what the console says; a kiosk gives a number', async ({
  browser,
}) => {
  test.setTimeout(120_000)
  const desk = await console_(browser, hospital, 'operations')
  const kiosk = await device(browser, 1080, 1920)
  await kiosk.goto(`${hospital.url}/screens/`)
  const code = kiosk.locator('.pairing-code')
  await expect(code).toHaveText(/^[A-Z2-9]{4}-[A-Z2-9]{4}$/)
  await look(kiosk, 'calling/pairing')
  await place(desk, 'W2')
  const typed = await code.textContent()
  await ask(desk, 'POST', '/staff/devices', { code: typed, name: '一楼大厅', show: { view: 'kiosk' } })
  await expect(kiosk.getByRole('button', { name: /报到/ })).toBeVisible({ timeout: BACK_MS })
  await kiosk.evaluate(() => (window.print = () => undefined))
  await kiosk.getByRole('button', { name: /现场取号/ }).click()
  await kiosk.getByRole('button', { name: /队列W2/ }).click()
  await expect(kiosk.locator('.k-number')).toHaveText(/\d/)
  await look(kiosk, 'calling/kiosk-number')
  // A code that nobody knows, as a scanner types it.
  await kiosk.getByRole('button', { name: '完成' }).click()
  await reads(kiosk, 'NOSUCHCODE99')
  await expect(kiosk.getByRole('alert')).toBeVisible()
  await look(kiosk, 'calling/kiosk-refused')
  await desk.goto(`${hospital.url}/console/devices`)
  await expect(desk.getByText('一楼大厅')).toBeVisible()
  await look(desk, 'calling/devices')
})
