/** A demonstration of a test's own, which it may stop and start, with devices that look at it side by side. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, type Browser, type Page } from '@playwright/test'

const root = join(import.meta.dirname, '../..')
const binary = process.env.XINGLIN_BIN ?? join(root, 'target/debug/xinglin')
const shots = join(import.meta.dirname, '../shots')
/** How soon everything must be right again once the program answers, ms. */
export const BACK_MS = 10_000

interface Member {
  login: string
  password: string
  totp_secret: string
}
interface Demo {
  urls: { patient: string; phones: string }
  staff: Record<string, Member>
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
export class Hospital {
  private program: ChildProcess | undefined
  private readonly data = mkdtempSync(join(tmpdir(), 'xinglin-waiting-'))
  private ports: [number, number] = [0, 0]

  async start(): Promise<void> {
    if (this.ports[0] === 0) this.ports = [await freePort(), await freePort()]
    const file = join(this.data, 'demo.json')
    rmSync(file, { force: true })
    const [port, sim] = this.ports.map(String) as [string, string]
    const args = [
      'demo',
      '--data',
      this.data,
      '--port',
      port,
      '--sim-port',
      sim,
      '--patients',
      '100',
      '--still',
    ]
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

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const program = this.program
    if (!program || program.exitCode !== null || program.signalCode !== null) return
    const ended = new Promise((resume) => program.once('exit', resume))
    program.kill(signal)
    await ended
  }

  async end(): Promise<void> {
    await this.stop()
    rmSync(this.data, { recursive: true, force: true })
  }
}

export async function look(page: Page, name: string): Promise<void> {
  const file = join(shots, `${name}.png`)
  mkdirSync(dirname(file), { recursive: true })
  await page.screenshot({ path: file })
}

/** A page of its own, as on a device of its own. */
export async function device(browser: Browser, width: number, height: number, phone = false): Promise<Page> {
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
export async function console_(browser: Browser, hospital: Hospital, role: string): Promise<Page> {
  const member = hospital.demo.staff[role]
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

interface Setup {
  areas: { id: string; code: string; place_code: string }[]
  rooms: { id: string; code: string }[]
  queues: { id: string; code: string }[]
}

/** Asks the server as whoever is signed in on a page. */
export async function ask<T>(page: Page, method: string, path: string, body: object): Promise<T> {
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
export async function place(page: Page, code: string): Promise<{ area: string; placeCode: string }> {
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
