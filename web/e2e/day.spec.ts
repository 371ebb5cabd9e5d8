/**
 * One waiting room from all sides at once: a phone takes a number and sees its place, the wall and the desk show the same, the desk
 * calls by keyboard; then the program is killed, and everybody finds back by themselves. Phone and television have clocks that are wrong.
 */
import { expect, test, type Browser, type Page } from '@playwright/test'
import { ask, BACK_MS, console_, device, Hospital, look, place } from './hospital'
import { invented } from './world'

const hospital = new Hospital()
test.beforeAll(async () => {
  test.setTimeout(180_000)
  await hospital.start()
})
test.afterAll(() => hospital.end())

const wechat =
  'Mozilla/5.0 (Linux; Android 14; PHM110) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 XWEB/1260059 MMWEBSDK/20240404 MicroMessenger/8.0.50.2701 WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64'

/** From now on a page's clock is so many hours off. */
async function wrongClock(page: Page, hours: number): Promise<void> {
  await page.addInitScript((off) => {
    const Right = Date
    class Wrong extends Right {
      constructor(...args: [] | [number | string]) {
        if (args.length === 0) super(Right.now() + off)
        else super(args[0])
      }
      static override now(): number {
        return Right.now() + off
      }
    }
    window.Date = Wrong as DateConstructor
  }, hours * 3_600_000)
}

/** A phone in somebody's hand, in WeChat; and where the app is for it. */
async function newPhone(browser: Browser): Promise<{ page: Page; home: string }> {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    userAgent: wechat,
    locale: 'zh-CN',
    timezoneId: 'America/New_York',
    hasTouch: true,
    isMobile: true,
  })
  const page = await context.newPage()
  const answer = await page.request.post(`${hospital.sim}sim/v1/phones`, {
    data: { name: '候诊', lang: 'zh', phone_number: invented().phone },
  })
  const { host } = (await answer.json()) as { host: string }
  return { page, home: `http://${host}:${new URL(hospital.url).port}` }
}

/** The newest code that was sent to a number. */
async function codeFor(page: Page, phone: string): Promise<string> {
  let code = ''
  await expect(async () => {
    const answer = await page.request.get(`${hospital.sim}sim/v1/inbox?kind=sms`)
    const inbox = (await answer.json()) as { items: { phone_number: string; params: { code?: string } }[] }
    code = inbox.items.filter((one) => one.phone_number === phone).at(-1)?.params.code ?? ''
    expect(code).toMatch(/^\d{6}$/)
  }).toPass()
  return code
}

/** Signs in at the place's page and adds the person who is there. */
async function arrives(page: Page, home: string, code: string): Promise<string> {
  const who = invented()
  await page.goto(`${home}/here/${encodeURIComponent(code)}`)
  await page.getByRole('button', { name: '登录' }).click()
  await page.getByRole('link', { name: '添加就诊人' }).click()
  await page.getByRole('textbox', { name: '真实姓名' }).fill(who.name)
  await page.getByRole('textbox', { name: '证件号码' }).fill(who.number)
  await page.getByRole('textbox', { name: /手机号/ }).fill(who.phone)
  await page.getByRole('button', { name: '获取验证码' }).click()
  await page.getByRole('textbox', { name: /验证码/ }).fill(await codeFor(page, who.phone))
  await page.getByRole('checkbox', { name: /我同意医院/ }).check()
  await page.getByRole('button', { name: '保存就诊人' }).click()
  return who.name
}

test('phone, wall and desk show one line, and find back after the program was killed', async ({
  browser,
}) => {
  test.setTimeout(240_000)
  const office = await console_(browser, hospital, 'operations')
  const { area, placeCode } = await place(office, 'W1')
  const setup = (await (await office.request.get(`${hospital.url}/api/v1/desk/setup`)).json()) as {
    queues: { id: string; code: string }[]
  }
  const queue_id = setup.queues.find((one) => one.code === 'W1')?.id
  for (const name of ['诸葛小明', '欧阳小红', '司马小刚'])
    await ask(office, 'POST', '/desk/tickets', { queue_id, name })

  // The desk: a nurse sits down in the room; its line is chosen with it.
  const desk = await console_(browser, hospital, 'nurse')
  await desk.goto(`${hospital.url}/console/desk`)
  await desk.getByLabel('我的诊室').click()
  await desk.getByRole('option', { name: '诊室W1' }).click()
  await expect(desk.getByRole('checkbox', { name: /队列W1/ })).toBeChecked()
  await look(desk, 'day/desk-seat')
  await desk.getByRole('button', { name: '开始叫号' }).click()
  await expect(desk.locator('.queue-panel')).toContainText('3 人候诊')

  const tv = await device(browser, 1920, 1080)
  const tv4k = await device(browser, 3840, 2160)
  for (const wall of [tv, tv4k]) {
    await wrongClock(wall, -7)
    await wall.goto(`${hospital.url}/screens/area/${area}`)
    await expect(wall.getByRole('heading', { name: /候诊区W1/ })).toBeVisible()
    await expect(wall.locator('.queue-next')).toContainText('W001')
  }

  const { page: phone, home } = await newPhone(browser)
  await wrongClock(phone, 3)
  const name = await arrives(phone, home, placeCode)
  await look(phone, 'day/phone-here')
  await phone.getByRole('button', { name: /现场取号.*队列W1/ }).click()
  await expect(phone.getByText('3 人')).toBeVisible()
  await expect(phone.getByText('W004')).toBeVisible()
  await look(phone, 'day/phone-waiting')
  let loads = 0
  phone.on('load', () => (loads += 1))
  tv.on('load', () => (loads += 1))

  // Called by keyboard: everybody sees the same, and nobody's name stands anywhere whole.
  await desk.keyboard.press('n')
  await expect(desk.locator('.desk-number')).toHaveText('W001')
  await expect(phone.getByText('2 人')).toBeVisible()
  await expect(tv.locator('.shout-number')).toContainText('W001')
  await look(tv, 'day/wall-shout')
  await expect(tv.locator('.calls')).toContainText('W001')
  await expect(tv.locator('.shout')).toHaveCount(0)
  await look(tv, 'day/wall-1080')
  await look(tv4k, 'day/wall-4k')
  await look(desk, 'day/desk')
  for (const page of [tv, desk, phone]) {
    const text = await page.locator('body').innerText()
    for (const whole of ['诸葛小明', '欧阳小红', '司马小刚', name]) expect(text).not.toContain(whole)
  }

  // Killed, without a word.
  await hospital.stop('SIGKILL')
  const foot = tv.getByRole('status')
  await expect(foot).toContainText('网络中断', { timeout: BACK_MS })
  await expect(foot).toContainText(/\d{2}:\d{2}:\d{2}/)
  await expect(tv.locator('.calls')).toContainText('W001')
  await look(tv, 'day/wall-lost')
  await expect(desk.getByText(/连接中断/)).toBeVisible({ timeout: BACK_MS })
  await look(desk, 'day/desk-lost')
  const shownAt = await foot.innerText()
  await tv.waitForTimeout(3_000)
  expect(await foot.innerText(), 'how old it is stands still while nothing comes').toBe(shownAt)

  await hospital.start()
  const back = Date.now()
  await expect(foot).toContainText('更新于', { timeout: BACK_MS })
  await expect(desk.getByText(/连接中断/)).toHaveCount(0, { timeout: BACK_MS })
  await desk.keyboard.press('n')
  await expect(desk.locator('.desk-number')).toHaveText('W002')
  await expect(tv.locator('.calls')).toContainText('W002', { timeout: BACK_MS })
  await expect(phone.getByText('1 人')).toBeVisible({
    timeout: Math.max(1_000, BACK_MS - (Date.now() - back)),
  })
  expect(Date.now() - back).toBeLessThan(BACK_MS)

  await desk.keyboard.press('n')
  await expect(phone.getByText('您是下一位')).toBeVisible()
  await desk.keyboard.press('n')
  await expect(phone.getByText(/请到.*诊室W1/)).toBeVisible()
  await expect(tv.locator('.calls')).toContainText('W004')
  await look(phone, 'day/phone-called')
  expect(loads, 'nothing was loaded anew').toBe(0)
})
