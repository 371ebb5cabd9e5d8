/** A patient on one of the simulator's phones who books with online payment and pays on the sheet that WeChat would show. */
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, type APIRequestContext, type Browser, type FrameLocator, type Page } from '@playwright/test'
import { invented } from './world'

const shots = join(import.meta.dirname, '../shots/paying')
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Axe {
  run: (options: object) => Promise<{
    violations: { id: string; impact: string; nodes: { target: string[] }[] }[]
  }>
}

/** What is serious in the page that this runs in. */
async function serious(): Promise<string[]> {
  const { axe } = window as unknown as { axe: Axe }
  const { violations } = await axe.run({ resultTypes: ['violations'] })
  return violations
    .filter((one) => one.impact === 'serious' || one.impact === 'critical')
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(', ')}`)
}

export class Payer {
  private seen = 0

  private constructor(
    readonly page: Page,
    readonly sim: string,
    readonly id: string,
    readonly who: ReturnType<typeof invented>,
    private readonly request: APIRequestContext,
    private readonly name: string,
  ) {}

  /** A new phone in the simulator at `sim`, with the hospital's account followed and its booking pages open. */
  static async open(browser: Browser, request: APIRequestContext, sim: string, name: string): Promise<Payer> {
    const who = invented()
    const made = await request.post(`${sim}sim/v1/phones`, {
      data: { name, lang: 'zh', phone_number: who.phone },
    })
    expect(made.ok(), await made.text()).toBe(true)
    const { id } = (await made.json()) as { id: string }
    const context = await browser.newContext({ locale: 'zh-CN', viewport: { width: 430, height: 900 } })
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    await page.goto(sim.replace(/\/\/[^:]+/, `//${id}.localhost`))
    await page.getByRole('button', { name: /杏林/ }).first().click()
    await page.getByRole('button', { name: '关注公众号' }).first().click()
    await page.getByRole('log').getByRole('button', { name: '预约挂号' }).last().click()
    return new Payer(page, sim, id, who, request, name)
  }

  /** The hospital's pages. */
  get app(): FrameLocator {
    return this.page.frameLocator('iframe')
  }

  /** What the hospital told this phone, by chat and by text message. */
  async told(): Promise<string> {
    const read = async (what: string): Promise<string> =>
      (await this.request.get(`${this.sim}sim/v1/phones/${this.id}/${what}`)).text()
    return (await read('chat')) + (await read('sms'))
  }

  private async code(phone: string): Promise<string> {
    let code = ''
    await expect(async () => {
      const inbox = (await (await this.request.get(`${this.sim}sim/v1/inbox?kind=sms`)).json()) as {
        items: { phone_number: string; params: { code?: string } }[]
      }
      code =
        inbox.items.filter((one) => one.phone_number === phone && one.params.code).at(-1)?.params.code ?? ''
      expect(code).toMatch(/^\d{6}$/)
    }).toPass()
    return code
  }

  /** From the list of departments to "check and confirm", as somebody whom the hospital does not know yet. */
  async choose(department: RegExp, at = 1): Promise<void> {
    const { app, who } = this
    await app.getByRole('link', { name: department }).first().click()
    await app
      .locator('article')
      .getByRole('link', { name: /^预约 / })
      .nth(at)
      .click()
    await app.getByRole('link', { name: '第一次来，新建就诊人' }).click()
    await app.getByRole('textbox', { name: '真实姓名' }).fill(who.name)
    await app.getByRole('textbox', { name: '证件号码' }).fill(who.number)
    await app.getByRole('textbox', { name: /手机号/ }).fill(who.phone)
    await app.getByRole('button', { name: '获取验证码' }).click()
    await app.getByRole('textbox', { name: /验证码/ }).fill(await this.code(who.phone))
    await app.getByRole('checkbox', { name: /我同意医院/ }).check()
    await app.getByRole('button', { name: '保存就诊人' }).click()
    await app.getByRole('heading', { name: '核对并确认' }).waitFor()
  }

  /** Books with payment online: the place is kept, and the page of paying is open. */
  async hold(): Promise<void> {
    await this.app.getByText('现在在线付').click()
    await this.app.getByRole('button', { name: '确认预约' }).click()
    await this.app.getByRole('heading', { name: '支付挂号费' }).waitFor()
  }

  /** Opens the payment sheet. */
  async sheet(): Promise<void> {
    const press = this.app.getByRole('button', { name: /^支付 ¥/ })
    await expect(press).toBeEnabled()
    await press.click()
    await this.page.getByRole('dialog', { name: '确认付款' }).waitFor()
  }

  /** Presses something on the payment sheet. */
  async press(name: string): Promise<void> {
    await this.page
      .getByRole('dialog', { name: '确认付款' })
      .getByRole('button', { name, exact: true })
      .click()
  }

  /** The whole way to a visit that is booked and paid. */
  async pays(department: RegExp, at = 1): Promise<void> {
    await this.choose(department, at)
    await this.hold()
    await this.sheet()
    await this.press('付款')
    await this.app.getByRole('heading', { name: '预约成功' }).waitFor()
  }

  /** A picture of the phone for a person to look at; nothing serious by axe in the hospital's page, nothing wider than it. */
  async look(name: string): Promise<void> {
    const frame = this.page.frames().find((one) => one.parentFrame() !== null)
    if (!frame) throw new Error('no page is open on the phone')
    const wider = await frame.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(wider, `${name}: wider`).toBeLessThan(1)
    await frame.evaluate(axeSource)
    expect(await frame.evaluate(serious), `${name}: axe`).toEqual([])
    mkdirSync(shots, { recursive: true })
    this.seen += 1
    const file = `${this.name}-${String(this.seen).padStart(2, '0')}-${name}.png`
    await this.page.screenshot({ path: join(shots, file) })
  }
}
