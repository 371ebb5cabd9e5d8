/**
 * A morning side by side: a phone, a television and the console of one hospital. Somebody takes a number where the sign hangs, the desk
 * calls, the phone and the wall show it; the program is stopped and started again, and the wall comes back by itself.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, type Browser, type Page } from '@playwright/test'
import { invented } from './world'

const root = join(import.meta.dirname, '../..')
const binary = process.env.XINGLIN_BIN ?? join(root, 'target/debug/xinglin')
const shots = join(import.meta.dirname, '../shots/calling')
/** How soon a call must show. */
const SOON_MS = 2_000
/** How soon a wall must be right again once the program answers. */
const BACK_MS = 10_000

interface Member {
  login: string
  roles: string[]
  password: string
  totp_secret: string
}
interface Demo {
  urls: { patient: string; phones: string }
  staff: Member[]
}

/** The six digits that an authenticator shows for a secret at a time (RFC 6238). */
function totp(secret: string, at: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret].map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)))
  const tag = createHmac('sha1', key).update(counter).digest()
  const offset = (tag.at(-1) ?? 0) & 15
  return String((tag.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resume) => server.listen(0, '127.0.0.1', resume))
  const { port } = server.address() as AddressInfo
  await new Promise((resume) => server.close(resume))
  return port
}

/** A demonstration of our own, since it is stopped on the way. */
class Hospital {
  private program: ChildProcess | undefined
  private readonly data = mkdtempSync(join(tmpdir(), 'xinglin-waiting-'))
  private ports: [number, number] = [0, 0]

  async start(): Promise<void> {
    if (this.ports[0] === 0) this.ports = [await freePort(), await freePort()]
    const file = join(this.data, 'demo.json')
    rmSync(file, { force: true })
    const [port, sim] = this.ports.map(String) as [string, string]
    const args = ['demo', '--data', this.data, '--port', port, '--sim-port', sim, '--patients', '100']
    this.program = spawn(binary, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    await expect(() => expect(existsSync(file)).toBe(true)).toPass({ timeout: 120_000, intervals: [100] })
  }

  get demo(): Demo {
    return JSON.parse(readFileSync(join(this.data, 'demo.json'), 'utf8')) as Demo
  }

  get url(): string {
    return `http://localhost:${this.ports[0]}`
  }

  get sim(): string {
    return this.demo.urls.phones
  }

  async stop(): Promise<void> {
    const program = this.program
    if (!program || program.exitCode !== null) return
    const ended = new Promise((resume) => program.once('exit', resume))
    program.kill('SIGTERM')
    await ended
  }

  async end(): Promise<void> {
    await this.stop()
    rmSync(this.data, { recursive: true, force: true })
  }
}

const hospital = new Hospital()
test.beforeAll(async () => {
  test.setTimeout(180_000)
  await hospital.start()
})
test.afterAll(() => hospital.end())

async function look(page: Page, name: string): Promise<void> {
  mkdirSync(shots, { recursive: true })
  await page.screenshot({ path: join(shots, `${name}.png`) })
}

/** A page of its own, as on a device of its own. */
async function device(browser: Browser, width: number, height: number, phone = false): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width, height },
    locale: 'zh-CN',
    timezoneId: 'America/New_York',
    hasTouch: phone,
    isMobile: phone,
  })
  return context.newPage()
}

/** Signs somebody with a role in, and gives the console. */
async function console_(browser: Browser, role: string): Promise<Page> {
  const member = hospital.demo.staff.find((one) => one.roles.includes(role))
  if (!member) throw new Error(`nobody is ${role}`)
  const page = await device(browser, 1280, 800)
  await page.goto(`${hospital.url}/console/`)
  await page.getByLabel('账号').fill(member.login)
  await page.locator('input[type="password"]').fill(member.password)
  await page.getByRole('button', { name: '下一步' }).click()
  const clock = (await (await page.request.get(`${hospital.sim}sim/v1/clock`)).json()) as {
    now_ms?: number
    now?: number
  }
  const now = clock.now_ms ?? clock.now ?? Date.now()
  await page.getByLabel('验证码').fill(totp(member.totp_secret, now))
  await page.getByRole('button', { name: '登录', exact: true }).click()
  await page.getByRole('navigation').first().waitFor()
  return page
}

/** The newest code that was sent to a number. */
async function codeFor(page: Page, phone: string): Promise<string> {
  let code = ''
  await expect(async () => {
    const answer = await page.request.get(`${hospital.sim}sim/v1/inbox?kind=sms`)
    const { items } = (await answer.json()) as {
      items: { phone_number: string; params: { code?: string } }[]
    }
    code = items.filter((one) => one.phone_number === phone && one.params.code).at(-1)?.params.code ?? ''
    expect(code).toMatch(/^\d{6}$/)
  }).toPass()
  return code
}

/** Somebody who has just come: signed in on a phone, with themselves as a patient. */
async function patient(browser: Browser): Promise<Page> {
  const page = await device(browser, 390, 844, true)
  const who = invented()
  await page.goto(`${hospital.url}/sign-in?to=/persons/new`)
  await page.getByRole('textbox', { name: /手机号/ }).fill(who.phone)
  await page.getByRole('button', { name: '获取验证码' }).click()
  await page.getByRole('textbox', { name: /验证码/ }).fill(await codeFor(page, who.phone))
  await page.waitForFunction(() => !location.pathname.endsWith('/sign-in'))
  await page.goto(`${hospital.url}/persons/new`)
  const own = `135${who.phone.slice(3)}`
  await page.getByRole('textbox', { name: '真实姓名' }).fill(who.name)
  await page.getByRole('textbox', { name: '证件号码' }).fill(who.number)
  await page.getByRole('textbox', { name: /手机号/ }).fill(own)
  await page.getByRole('button', { name: '获取验证码' }).click()
  await page.getByRole('textbox', { name: /验证码/ }).fill(await codeFor(page, own))
  await page.getByRole('checkbox', { name: /我同意医院/ }).check()
  await page.getByRole('button', { name: '保存就诊人' }).click()
  await page.waitForFunction(() => !location.pathname.endsWith('/persons/new'))
  return page
}

interface Setup {
  areas: { id: string; code: string; place_code: string }[]
  rooms: { id: string; code: string }[]
  queues: { id: string; code: string }[]
}

/** Asks the server as whoever is signed in on a page. */
async function ask<T>(page: Page, method: string, path: string, body: object): Promise<T> {
  const { status, text } = await page.evaluate(
    async ([verb, url, json]) => {
      const session = (await (await fetch('/api/v1/staff/session')).json()) as { csrf: string }
      const response = await fetch(`/api/v1${url}`, {
        method: verb,
        headers: { 'Content-Type': 'application/json', 'X-CSRF': session.csrf },
        body: json,
      })
      return { status: response.status, text: await response.text() }
    },
    [method, path, JSON.stringify(body)] as const,
  )
  expect(status, text).toBeLessThan(300)
  return JSON.parse(text) as T
}

/** A waiting area of our own with one room and one line, named after `code`. */
async function place(page: Page, code: string): Promise<{ area: string; placeCode: string }> {
  const name = (what: string) => ({ zh: `${what}${code}`, en: `${what} ${code}` })
  const made = <R extends { code: string }>(rows: R[]): R => {
    const found = rows.find((row) => row.code === code)
    if (!found) throw new Error(`${code} was not made`)
    return found
  }
  const area = made(
    (
      await ask<Setup>(page, 'POST', '/desk/setup/areas', {
        code,
        name: name('候诊区'),
        way: name('电梯左转到'),
      })
    ).areas,
  )
  const body = { code, name: name('诊室'), area_id: area.id }
  const room = made((await ask<Setup>(page, 'POST', '/desk/setup/rooms', body)).rooms)
  await ask<Setup>(page, 'POST', '/desk/setup/queues', {
    code,
    kind: 'service',
    name: name('队列'),
    prefix: 'W',
    area_id: area.id,
    policy: 'first_come',
    room_ids: [room.id],
    service_minutes: 5,
    active: true,
  })
  return { area: area.id, placeCode: area.place_code }
}

test('a number is called at the desk, and the phone and the wall show it; the wall survives a restart', async ({
  browser,
}) => {
  test.setTimeout(240_000)
  const desk = await console_(browser, 'operations')
  const { area, placeCode } = await place(desk, 'W1')

  const wall = await device(browser, 1920, 1080)
  await wall.goto(`${hospital.url}/screens/area/${area}`)
  await expect(wall.getByRole('heading', { level: 1 })).toContainText('候诊区W1')

  // Where the sign hangs.
  const phone = await patient(browser)
  await phone.goto(`${hospital.url}/here/${encodeURIComponent(placeCode)}`)
  await phone.getByRole('button', { name: /现场取号.*队列W1/ }).click()
  await phone.waitForURL(/\/line\/tkt_/)
  const label = (await phone.locator('.line-label').first().textContent()) ?? ''
  expect(label).not.toBe('')
  await look(phone, 'phone-waiting')

  // The desk sits down and calls this one.
  await desk.goto(`${hospital.url}/console/desk`)
  await desk.getByRole('combobox').first().click()
  await desk.getByRole('option', { name: '诊室W1' }).first().click()
  await desk.getByRole('button', { name: '开始叫号' }).click()
  const mine = desk.getByRole('button', { name: new RegExp(label) }).first()
  await mine.click()
  await look(desk, 'desk-line')
  await desk.getByRole('button', { name: '先叫这位' }).click()
  await Promise.all([
    expect(phone.getByRole('status').getByText(/请到/)).toBeVisible({ timeout: SOON_MS }),
    expect(
      wall
        .locator('.call', { hasText: label })
        .or(wall.locator('.shout', { hasText: label }))
        .first(),
    ).toBeVisible({ timeout: SOON_MS }),
    expect(desk.locator('.desk-number')).toHaveText(label, { timeout: SOON_MS }),
  ])
  await Promise.all([look(phone, 'phone-called'), look(wall, 'wall-called'), look(desk, 'desk-called')])

  // Taken back within five seconds: as if it had not been.
  await desk.keyboard.press('z')
  await expect(phone.getByRole('status').getByText(/请到/)).toBeHidden({ timeout: SOON_MS })
  await mine.click()
  if (!(await desk.getByRole('button', { name: '先叫这位' }).first().isVisible())) await mine.click()
  await desk.getByRole('button', { name: '先叫这位' }).first().click()
  await expect(desk.locator('.desk-number')).toHaveText(label)
  await desk.keyboard.press('b')
  await expect(phone.locator('.line-status')).toContainText('正在就诊', { timeout: SOON_MS })

  // The program goes and comes back: the wall says how old it is, then is right again without a hand.
  await hospital.stop()
  await expect(wall.getByRole('status')).toContainText('网络中断', { timeout: BACK_MS })
  await look(wall, 'wall-lost')
  await hospital.start()
  await expect(wall.getByRole('status')).toContainText('更新于', { timeout: BACK_MS })
  await desk.reload()
  await desk.getByRole('button', { name: /结束.*E$/ }).waitFor()
  await desk.keyboard.press('e')
  await expect(phone.locator('.line-status')).toContainText('已就诊', { timeout: BACK_MS })
  await expect(wall.locator('.call', { hasText: label })).toHaveCount(0, { timeout: SOON_MS })
})

test('a screen is let in by its code and shows what the console says; a kiosk gives a number', async ({
  browser,
}) => {
  test.setTimeout(120_000)
  const desk = await console_(browser, 'operations')
  const kiosk = await device(browser, 1080, 1920)
  await kiosk.goto(`${hospital.url}/screens/`)
  const code = kiosk.locator('.pairing-code')
  await expect(code).toHaveText(/^[A-Z2-9]{4}-[A-Z2-9]{4}$/)
  await look(kiosk, 'pairing')
  await place(desk, 'W2')
  const typed = await code.textContent()
  await ask(desk, 'POST', '/staff/devices', { code: typed, name: '一楼大厅', show: { view: 'kiosk' } })
  await expect(kiosk.getByRole('button', { name: /报到/ })).toBeVisible({ timeout: BACK_MS })
  await kiosk.evaluate(() => (window.print = () => undefined))
  await kiosk.getByRole('button', { name: /现场取号/ }).click()
  await kiosk.getByRole('button', { name: /队列W2/ }).click()
  await expect(kiosk.locator('.k-number')).toHaveText(/\d/)
  await look(kiosk, 'kiosk-number')
  // A code that nobody knows, as a scanner types it.
  await kiosk.getByRole('button', { name: '完成' }).click()
  await kiosk.keyboard.type('NOSUCHCODE99', { delay: 2 })
  await kiosk.keyboard.press('Enter')
  await expect(kiosk.getByRole('alert')).toBeVisible()
  await look(kiosk, 'kiosk-refused')
  await desk.goto(`${hospital.url}/console/devices`)
  await expect(desk.getByText('一楼大厅')).toBeVisible()
  await look(desk, 'devices')
})
