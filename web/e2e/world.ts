/** A person with a phone in the demonstration, and what every test does with it. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, expect, type APIRequestContext, type Locator, type Page } from '@playwright/test'
import type { Kind } from './playwright.config'

interface Demo {
  urls: { patient: string; phones: string }
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const shots = join(import.meta.dirname, '../shots')

/** The words that the tests look for, in both languages. */
const WORDS = {
  zh: {
    signIn: '登录并预约',
    confirm: '确认预约',
    confirmMove: '确认改约',
    booked: '预约成功',
    moved: '改约成功',
    check: '核对并确认',
    add: '第一次来，新建就诊人',
    name: '真实姓名',
    number: '证件号码',
    phone: /手机号/,
    code: /验证码/,
    sendCode: '获取验证码',
    consent: /我同意医院/,
    save: '保存就诊人',
    see: '查看预约',
    cancel: '取消预约',
    cancelYes: '确定取消',
    cancelled: '已取消，号已退回',
    move: '改时间',
    book: /^预约 /,
    more: /^更多时间/,
    chooseDepartment: '选择科室',
    close: '关闭',
    keep: '保留预约',
    back: '返回',
  },
  en: {
    signIn: 'Sign in and book',
    confirm: 'Book this visit',
    confirmMove: 'Move my visit',
    booked: 'Your visit is booked',
    moved: 'Your visit is moved',
    check: 'Check and confirm',
    add: 'New here: add a patient',
    name: 'Full name',
    number: 'Document number',
    phone: /Mobile number/,
    code: /Code/,
    sendCode: 'Send me a code',
    consent: /I agree that the hospital/,
    save: 'Save patient',
    see: 'See this visit',
    cancel: 'Cancel this visit',
    cancelYes: 'Yes, cancel it',
    cancelled: 'Cancelled. Your place has been given back.',
    move: 'Change the time',
    book: /^Book /,
    more: /^More times/,
    chooseDepartment: 'Choose a department',
    close: 'Close',
    keep: 'Keep it',
    back: 'Back',
  },
} as const

export type Words = (typeof WORDS)[keyof typeof WORDS]

const CHECKS = '10X98765432'
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const SURNAMES = '赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜'
const GIVEN = '安柏辰澄棣枫耕浩嘉景珂岚黎茗宁沛棋荣舒桐维曦雅泽芷'

/** Departments for grown-ups that always have places. */
const DEPARTMENTS = [
  { zh: /心血管内科/, en: /Cardiology/ },
  { zh: /呼吸内科/, en: /Respiratory/ },
  { zh: /普通外科/, en: /General surgery/ },
  { zh: /骨科/, en: /Orthopa?edics/ },
] as const

const random = (below: number): number => Math.floor(Math.random() * below)
const pickOf = (text: string): string => text.charAt(random(text.length))
const digits = (count: number): string => Array.from({ length: count }, () => random(10)).join('')

/** Somebody invented, a grown-up if nothing else is said: a valid number with a region that no card carries. */
export function invented(from = 1950, years = 50): { name: string; number: string; phone: string } {
  const body = `110000${from + random(years)}${String(1 + random(12)).padStart(2, '0')}${String(1 + random(28)).padStart(2, '0')}${digits(3)}`
  const sum = WEIGHTS.reduce((total, weight, at) => total + weight * Number(body.charAt(at)), 0)
  return {
    name: pickOf(SURNAMES) + pickOf(GIVEN) + pickOf(GIVEN),
    number: body + CHECKS.charAt(sum % 11),
    phone: `137${digits(8)}`,
  }
}

export class Patient {
  readonly who = invented()
  readonly words: Words
  private seen = 0
  // The first is "any doctor"; these have names.
  private readonly at = 1 + random(4)
  private readonly choice = DEPARTMENTS[random(DEPARTMENTS.length)] ?? DEPARTMENTS[0]

  constructor(
    readonly page: Page,
    readonly kind: Kind,
    /** Where the app is for this phone. */
    readonly home: string,
    private readonly sim: string,
    private readonly request: APIRequestContext,
    private readonly project: string,
  ) {
    this.words = WORDS[kind.lang]
  }

  async go(path: string): Promise<void> {
    await this.page.goto(this.home + path)
    await this.page.locator('h1').waitFor()
    await this.resize()
  }

  /** WeChat's own text size: it acts on the root, from outside the page. */
  private async resize(): Promise<void> {
    const { root } = this.kind
    if (root === 16) return
    await this.page.evaluate((px) => document.documentElement.style.setProperty('font-size', `${px}px`), root)
  }

  heading(name: string | RegExp): Locator {
    return this.page.getByRole('heading', { name, level: 1 })
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name })
  }

  link(name: string | RegExp): Locator {
    return this.page.getByRole('link', { name })
  }

  /** The newest code that was sent to a number. */
  async codeFor(phone: string, after = 0): Promise<string> {
    let code = ''
    await expect(async () => {
      const inbox = (await (await this.request.get(`${this.sim}sim/v1/inbox?kind=sms`)).json()) as {
        items: { phone_number: string; seq: number; params: { code?: string } }[]
      }
      const mine = inbox.items.filter(
        (one) => one.phone_number === phone && one.params.code && one.seq > after,
      )
      code = mine.at(-1)?.params.code ?? ''
      expect(code).toMatch(/^\d{6}$/)
    }).toPass()
    return code
  }

  /** From a department's list to "check and confirm" with the first free time of a named doctor. */
  async chooseFirst(): Promise<void> {
    await this.go('/departments')
    await this.department().click()
    await this.firstTime().click()
    await this.heading(this.words.check).waitFor()
    await this.resize()
  }

  /** One of the departments for grown-ups. */
  department(): Locator {
    return this.link(this.kind.lang === 'zh' ? this.choice.zh : this.choice.en).first()
  }

  /** The next free time of one of the first doctors: not all tests go for the same few places. */
  firstTime(): Locator {
    return this.page.locator('article').getByRole('link', { name: this.words.book }).nth(this.at)
  }

  /** Signs in from the button of the confirm page, and comes back to it. */
  async signIn(): Promise<void> {
    await this.button(this.words.signIn).click()
    if (!this.kind.wechat) {
      const { phone } = this.who
      await this.page.getByRole('textbox', { name: this.words.phone }).fill(phone)
      await this.button(this.words.sendCode).click()
      const field = this.page.getByRole('textbox', { name: this.words.code })
      await field.waitFor()
      await field.fill(await this.codeFor(phone))
    }
    await this.heading(this.words.check).waitFor()
    await this.resize()
  }

  /** Adds the person that this phone's holder is. */
  async addSelf(look?: (name: string) => Promise<void>): Promise<void> {
    await this.link(this.words.add).click()
    const { name, number } = this.who
    // Not the number that has just had a code for the sign-in: codes for one number are a minute apart.
    const phone = `135${digits(8)}`
    await this.page.getByRole('textbox', { name: this.words.name }).fill(name)
    await look?.('person-new')
    await this.page.getByRole('textbox', { name: this.words.number }).fill(number)
    await this.page.getByRole('textbox', { name: this.words.phone }).fill(phone)
    await this.button(this.words.sendCode).click()
    await this.page.getByRole('textbox', { name: this.words.code }).fill(await this.codeFor(phone))
    await this.page.getByRole('checkbox', { name: this.words.consent }).check()
    await this.button(this.words.save).click()
    await this.heading(this.words.check).waitFor()
    await this.resize()
  }

  /** The whole way to a booked visit of a new person; the address of the visit. */
  async book(): Promise<string> {
    await this.chooseFirst()
    await this.signIn()
    await this.addSelf()
    await this.button(this.words.confirm).click()
    await this.heading(this.words.booked).waitFor()
    return new URL(this.page.url()).pathname.replace('/done', '')
  }

  /** Looks at a screen: see [lookAt]. */
  async look(name: string): Promise<void> {
    await this.resize()
    this.seen += 1
    await lookAt(this.page, this.project, `${String(this.seen).padStart(2, '0')}-${name}`, this.kind.elder)
  }
}

/**
 * Looks at a screen of a phone: nothing serious by axe, nothing wider than the screen, no text cut off, no target too small; and a
 * picture of it for a person to look at.
 */
export async function lookAt(page: Page, folder: string, name: string, elder = false): Promise<void> {
  await page.evaluate(() =>
    document
      .getAnimations()
      // A spinner turns for ever.
      .filter((animation) => animation.effect?.getComputedTiming().iterations !== Infinity)
      .forEach((animation) => animation.finish()),
  )
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
    `${name}: wider`,
  ).toBeLessThan(1)
  expect(await page.evaluate(clipped), `${name}: text cut off`).toEqual([])
  expect(await page.evaluate(small, elder ? 60 : 44), `${name}: targets too small`).toEqual([])
  await page.evaluate(axeSource)
  const found = await page.evaluate(async () => {
    const axe = (window as unknown as { axe: { run: (options: object) => Promise<AxeResult> } }).axe
    const result = await axe.run({ resultTypes: ['violations'] })
    return result.violations
      .filter((one) => one.impact === 'serious' || one.impact === 'critical')
      .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(', ')}`)
  })
  expect(found, `${name}: axe`).toEqual([])
  mkdirSync(join(shots, folder), { recursive: true })
  const whole = (await page.locator('dialog[open]').count()) === 0
  await page.screenshot({ path: join(shots, folder, `${name}.png`), fullPage: whole })
}

/** What a card reader is to a page: a keyboard that types fast, however busy the machine is that plays it. */
export async function reads(page: Page, number: string): Promise<void> {
  await page.evaluate(
    (keys) => {
      for (const key of keys) dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))
    },
    [...number, 'Enter'],
  )
}

interface AxeResult {
  violations: { id: string; impact: string; nodes: { target: string[] }[] }[]
}

/** Elements whose text is cut off (in the page). */
function clipped(): string[] {
  return [...document.querySelectorAll<HTMLElement>('body *')]
    .filter((element) => {
      const style = getComputedStyle(element)
      if (element.closest('.sr, svg') || element.clientHeight === 0) return false
      const tall =
        ['hidden', 'clip'].includes(style.overflowY) && element.scrollHeight > element.clientHeight + 1
      const wide =
        ['hidden', 'clip'].includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1
      // Text that runs out of its own box, whatever happens to the overflow.
      const own =
        element.children.length === 0 &&
        element.scrollWidth > element.clientWidth + 1 &&
        style.display !== 'inline'
      return tall || wide || (own && !!element.textContent?.trim())
    })
    .map((element) => `${element.tagName}.${element.className}: ${element.textContent?.trim().slice(0, 40)}`)
}

/** Buttons, links and fields that are smaller than a finger needs (links inside a sentence excepted). */
function small(least: number): string[] {
  return [...document.querySelectorAll<HTMLElement>('a[href], button, input, select')]
    .filter((element) => {
      const target = element.matches('input[type="radio"], input[type="checkbox"]')
        ? element.closest('label')
        : element
      const box = (target ?? element).getBoundingClientRect()
      if (box.width === 0 || getComputedStyle(element).display === 'inline') return false
      return box.height < least - 0.5 || box.width < least - 0.5
    })
    .map((element) => `${element.tagName} ${element.textContent?.trim().slice(0, 30)} ${element.id}`)
}

export const test = base.extend<{ kind: Kind; patient: Patient }>({
  kind: [{ lang: 'zh', wechat: false, elder: false, root: 16 }, { option: true }],
  patient: async ({ page, kind, request }, use, info) => {
    const demo = JSON.parse(readFileSync(process.env.XINGLIN_DEMO ?? '', 'utf8')) as Demo
    const product = new URL(demo.urls.patient)
    const sim = demo.urls.phones
    const host = kind.wechat ? (await newPhone(request, sim, kind.lang, info.title)).host : 'localhost'
    const home = `http://${host}:${product.port}`
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => {
      // What a refused request leaves in the console is the test's own doing.
      if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
        problems.push(message.text())
    })
    if (kind.elder) await page.addInitScript(() => localStorage.setItem('xl.elder', '1'))
    await use(new Patient(page, kind, home, sim, request, info.project.name))
    expect(problems, 'errors in the console').toEqual([])
  },
})

/** Adds a phone to the simulator: its id, and the host name by which the product knows it. */
export async function newPhone(
  request: APIRequestContext,
  sim: string,
  lang: Kind['lang'],
  name: string,
): Promise<{ id: string; host: string }> {
  const answer = await request.post(`${sim}sim/v1/phones`, {
    data: { name: name.slice(0, 20), lang, phone_number: `136${digits(8)}` },
  })
  expect(answer.ok(), await answer.text()).toBe(true)
  return (await answer.json()) as { id: string; host: string }
}

export { expect }
