/** Staff of the demonstration at the console, in a browser of their own. */
import { createHmac } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, type Browser, type Page } from '@playwright/test'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Demo {
  urls: { console: string }
  staff: Record<string, { login: string; password: string; totp_secret: string }>
}

/** The six digits that an authenticator shows for a secret now (RFC 6238). */
export function totp(secret: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret.replace(/\s/g, '')]
    .map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0'))
    .join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const tag = createHmac('sha1', key).update(counter).digest()
  const offset = (tag.at(-1) ?? 0) & 15
  return String((tag.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

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

  /** Nothing serious by axe, nothing wider than the window; and a picture for a person to look at. */
  async look(name: string): Promise<void> {
    const { page } = this
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      `${name}: wider`,
    ).toBeLessThan(1)
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
    const shots = join(import.meta.dirname, '../shots/desk')
    mkdirSync(shots, { recursive: true })
    this.seen += 1
    const file = `${String(this.seen).padStart(2, '0')}-${name}.png`
    const whole = (await page.locator('dialog[open]').count()) === 0
    await page.screenshot({ path: join(shots, file), fullPage: whole })
  }
}

/** Signs somebody of the demonstration in. */
export async function atConsole(browser: Browser, who: string): Promise<StaffMember> {
  const demo = JSON.parse(readFileSync(process.env.XINGLIN_DEMO ?? '', 'utf8')) as Demo
  const secrets = demo.staff[who]
  if (!secrets) throw new Error(`no ${who} in the demonstration`)
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: 'zh-CN',
    isMobile: false,
    hasTouch: false,
    deviceScaleFactor: 1,
  })
  const page = await context.newPage()
  await page.goto(demo.urls.console)
  await page.getByLabel('账号').fill(secrets.login)
  await page.getByLabel('密码', { exact: true }).fill(secrets.password)
  await page.getByRole('button', { name: '下一步' }).click()
  await page.getByRole('heading', { name: '输入验证码' }).waitFor()
  await page.getByLabel('验证码').fill(totp(secrets.totp_secret))
  await page.getByRole('button', { name: '登录' }).click()
  await page.locator('.top-who').waitFor()
  return new StaffMember(page, demo.urls.console)
}
