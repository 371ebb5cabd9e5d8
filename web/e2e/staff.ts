/** A member of staff of the demonstration at a desk: signing in with both factors, and what every page is looked at for. */
import { createHmac } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, type Browser, type Page } from '@playwright/test'

const shots = join(import.meta.dirname, '../shots')
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export interface Demo {
  urls: { console: string; patient: string }
  staff: Record<string, { login: string; password: string; totp_secret: string }>
}

/** The six digits that an authenticator shows for a secret at a time (RFC 6238). */
export function totp(secret: string, at = Date.now()): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret.replace(/\s/g, '')]
    .map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0'))
    .join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)))
  const tag = createHmac('sha1', key).update(counter).digest()
  const offset = (tag.at(-1) ?? 0) & 15
  return String((tag.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

/** Nothing serious by axe, nothing wider than the window; and a picture for a person to look at. */
export async function look(page: Page, name: string, folder = 'console'): Promise<void> {
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
    `${name}: wider`,
  ).toBeLessThan(1)
  // Colours are judged as they are in the end, not on their way there; what turns for ever is left out.
  await page.evaluate(async () => {
    const moving = document
      .getAnimations()
      .filter((one) => one.effect?.getComputedTiming().iterations !== Infinity)
    const pause = new Promise((resume) => setTimeout(resume, 2_000))
    await Promise.race([Promise.allSettled(moving.map((one) => one.finished)), pause])
  })
  await page.evaluate(axeSource)
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: {
        run: (
          options: object,
        ) => Promise<{ violations: { id: string; impact: string; nodes: { target: string[] }[] }[] }>
      }
    }
    const { violations } = await axe.run({ resultTypes: ['violations'] })
    return violations
      .filter((one) => one.impact === 'serious' || one.impact === 'critical')
      .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(', ')}`)
  })
  expect(found, `${name}: axe`).toEqual([])
  mkdirSync(join(shots, folder), { recursive: true })
  const whole = (await page.locator('dialog[open]').count()) === 0
  await page.screenshot({ path: join(shots, folder, `${name}.png`), fullPage: whole })
}

/** Signs somebody of the demonstration in. */
export async function signIn(page: Page, who: string): Promise<Demo> {
  const demo = JSON.parse(readFileSync(process.env.XINGLIN_DEMO ?? '', 'utf8')) as Demo
  const secrets = demo.staff[who]
  if (!secrets) throw new Error(`no ${who} in the demonstration`)
  await page.goto(demo.urls.console)
  await page.getByLabel('账号').fill(secrets.login)
  await page.getByLabel('密码', { exact: true }).fill(secrets.password)
  await page.getByRole('button', { name: '下一步' }).click()
  await page.getByRole('heading', { name: '输入验证码' }).waitFor()
  await page.getByLabel('验证码').fill(totp(secrets.totp_secret))
  await page.getByRole('button', { name: '登录' }).click()
  const refused = page.getByRole('alert')
  await page.locator('.top-who').or(refused).first().waitFor()
  if (await refused.isVisible()) {
    // Another test was this person within the same half minute, and a code works once.
    await page.waitForTimeout(30_500 - (Date.now() % 30_000))
    await page.getByLabel('验证码').fill(totp(secrets.totp_secret))
    await page.getByRole('button', { name: '登录' }).click()
    await page.locator('.top-who').waitFor()
  }
  return demo
}

/** A member of staff with a browser of their own. */
export class StaffMember {
  private seen = 0
  constructor(
    readonly page: Page,
    readonly console: string,
  ) {}

  async go(path: string): Promise<void> {
    await this.page.goto(this.console + path.replace(/^\//, ''))
    await this.page.locator('h1').waitFor()
  }

  async look(name: string): Promise<void> {
    this.seen += 1
    await look(this.page, `${String(this.seen).padStart(2, '0')}-${name}`, 'desk')
  }
}

/** Signs somebody of the demonstration in, beside whatever phones the test has. */
export async function atConsole(browser: Browser, who: string): Promise<StaffMember> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: 'zh-CN',
    isMobile: false,
    hasTouch: false,
    deviceScaleFactor: 1,
  })
  const page = await context.newPage()
  const demo = await signIn(page, who)
  return new StaffMember(page, demo.urls.console)
}
