/**
 * How people come to the hospital's account: at the kiosk with a card, at a desk with staff, by a doctor's poster. The phones are
 * the simulator's; what they scan is what stands in the code on the screen.
 */
import { readFileSync } from 'node:fs'
import { expect, type APIRequestContext, type Browser, type Page } from '@playwright/test'
import { atConsole, look } from './staff'
import { invented, lookAt, newPhone, test, reads } from './world'

/** Scan to bound, by the requirement; what the machine needs beside two test workers comes on top. */
const BOUND_MS = 2_000
const SLACK_MS = 4_000

interface Demo {
  urls: { patient: string; phones: string }
}
const demo = (): Demo => JSON.parse(readFileSync(process.env.XINGLIN_DEMO ?? '', 'utf8')) as Demo

/** A phone of the simulator, which scans, and opens what the chat answers. */
class Phone {
  private constructor(
    readonly id: string,
    readonly host: string,
    private readonly request: APIRequestContext,
  ) {}

  static async of(request: APIRequestContext, name: string): Promise<Phone> {
    const made = await newPhone(request, demo().urls.phones, 'zh', name)
    return new Phone(made.id, made.host, request)
  }

  private async does(action: string, data: object): Promise<{ push?: { reply?: { text?: string } } }> {
    const url = `${demo().urls.phones}sim/v1/phones/${this.id}/${action}`
    const answer = await this.request.post(url, { data })
    expect(answer.ok(), await answer.text()).toBe(true)
    return (await answer.json()) as { push?: { reply?: { text?: string } } }
  }

  async follows(): Promise<void> {
    await this.does('follow', {})
    await this.does('say', { text: '中文' })
  }

  /** What the chat answers to a scan. */
  async scans(content: string): Promise<string> {
    return (await this.does('scan', { content })).push?.reply?.text ?? ''
  }

  /** The first link of an answer, in a browser of this phone. */
  async opens(browser: Browser, answer: string): Promise<Page> {
    const link = /href="([^"]+)"/.exec(answer)?.[1]
    expect(link, `a link in: ${answer}`).toBeTruthy()
    const url = new URL(link ?? '')
    url.hostname = this.host
    const context = await browser.newContext({
      viewport: { width: 360, height: 740 },
      locale: 'zh-CN',
      isMobile: true,
      hasTouch: true,
      deviceScaleFactor: 2,
      userAgent:
        'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.50 Language/zh_CN',
    })
    const page = await context.newPage()
    await page.goto(url.toString())
    await page.locator('h1').waitFor()
    return page
  }
}

/** Puts somebody on file at the counter, and goes on to help them join. */
async function register(page: Page, who: { name: string; number: string }): Promise<void> {
  await page.getByRole('button', { name: '建档' }).first().click()
  await page.getByLabel('姓名（与证件一致）').fill(who.name)
  await page.getByLabel('居民身份证号').fill(who.number)
  await page.locator('form').getByRole('button', { name: '建档' }).click()
  await expect(page.getByRole('link', { name: '帮助绑定' })).toBeVisible()
}

/** A screen that has been let in as a kiosk. */
async function kiosk(browser: Browser, desk: Page): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1080, height: 1920 },
    locale: 'zh-CN',
    hasTouch: true,
    isMobile: false,
    deviceScaleFactor: 1,
  })
  const page = await context.newPage()
  await page.goto(new URL('/screens/', demo().urls.patient).toString())
  const code = page.locator('.pairing-code')
  await expect(code).toHaveText(/^[A-Z2-9]{4}-[A-Z2-9]{4}$/)
  const typed = await code.textContent()
  const status = await desk.evaluate(
    async (json) => {
      const session = (await (await fetch('/api/v1/staff/session')).json()) as { csrf: string }
      const response = await fetch('/api/v1/staff/devices', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-CSRF': session.csrf },
        body: json,
      })
      return response.status
    },
    JSON.stringify({ code: typed, name: '门诊大厅', show: { view: 'kiosk' } }),
  )
  expect(status).toBeLessThan(300)
  await page.getByRole('button', { name: /绑定微信/ }).waitFor()
  return page
}

/** Inserts a card: the reader types its number. Gives what stands in the code on the screen. */
async function inserts(page: Page, number: string): Promise<string> {
  await page.getByRole('button', { name: /绑定微信/ }).click()
  await page.getByRole('heading', { name: '请插入或刷就诊卡、医保卡' }).waitFor()
  const answer = page.waitForResponse(/\/api\/v1\/enrolments\/card$/)
  await reads(page, number)
  return ((await (await answer).json()) as { picture: string }).picture
}

test('a card in the kiosk and one scan: bound; on a relative’s phone after the name is confirmed', async ({
  browser,
  request,
}) => {
  test.setTimeout(150_000)
  const desk = (await atConsole(browser, 'operations')).page
  await desk.goto(`${demo().urls.patient.replace(/\/$/, '')}/console/patients`)
  const [daughter, father] = [invented(), invented()]
  for (const who of [daughter, father]) await register(desk, who)
  const screen = await kiosk(browser, desk)
  await look(screen, '01-kiosk', 'coming')
  await screen.getByRole('button', { name: /绑定微信/ }).click()
  await screen.getByRole('heading', { name: '请插入或刷就诊卡、医保卡' }).waitFor()
  await look(screen, '02-kiosk-card', 'coming')
  // A card that nobody knows says so, and where to go.
  await reads(screen, 'NOCARD0001')
  await expect(screen.getByRole('alert')).toContainText('请到窗口建档')
  await look(screen, '03-kiosk-unknown', 'coming')
  await screen.getByRole('button', { name: '返回' }).click()

  const phone = await Phone.of(request, '女儿')
  await phone.follows()
  const own = await inserts(screen, daughter.number)
  await expect(screen.getByRole('img', { name: '绑定码' })).toBeVisible()
  await expect(screen.getByText(daughter.name)).toHaveCount(0)
  await look(screen, '04-kiosk-code', 'coming')
  const scanned = Date.now()
  expect(await phone.scans(own)).toContain('已绑定')
  await expect(screen.getByRole('heading', { name: /已绑定/ })).toBeVisible({ timeout: BOUND_MS + SLACK_MS })
  test.info().annotations.push({ type: 'scan to bound, ms', description: String(Date.now() - scanned) })
  await look(screen, '05-kiosk-bound', 'coming')
  await screen.getByRole('button', { name: '返回' }).click()

  // The same phone for the father: it has a holder already, so the name is asked for.
  const fathers = await inserts(screen, father.number)
  const answer = await phone.scans(fathers)
  expect(answer).toContain('请确认就诊人的姓名')
  await expect(screen.getByText('已扫码。请在手机上填写就诊人姓名')).toBeVisible()
  const page = await phone.opens(browser, answer)
  await page.getByRole('heading', { name: '绑定就诊人' }).waitFor()
  await page.getByRole('button', { name: '确认绑定' }).waitFor()
  await lookAt(page, 'coming', '06-join')
  await page.getByRole('textbox', { name: /请输入就诊人的姓名/ }).fill('王错了')
  await page.locator('#consent').check()
  await page.getByRole('button', { name: '确认绑定' }).click()
  await expect(page.locator('#name-error')).toContainText('还可以试 2 次')
  await lookAt(page, 'coming', '07-join-wrong')
  await page.getByRole('textbox', { name: /请输入就诊人的姓名/ }).fill(father.name)
  await page.getByRole('button', { name: '确认绑定' }).click()
  await expect(page.getByText(/^已绑定/)).toBeVisible()
  await lookAt(page, 'coming', '08-join-done')
  await expect(screen.getByRole('heading', { name: /已绑定/ })).toBeVisible()
  await page.getByRole('link', { name: '就诊人' }).last().click()
  await expect(page.getByRole('heading', { name: father.name })).toBeVisible()
  await expect(page.getByRole('heading', { name: daughter.name })).toBeVisible()
  await lookAt(page, 'coming', '09-persons')
  // One's own record, with a card that is put on it and one that is nobody's.
  await page.getByRole('link', { name: `个人信息和卡 ${daughter.name}` }).click()
  await page.getByRole('textbox', { name: '卡号' }).waitFor()
  await lookAt(page, 'coming', '09-person-data')
  await page.getByRole('textbox', { name: '卡号' }).fill('12')
  await page.getByRole('button', { name: '登记' }).click()
  await expect(page.locator('#card-error')).toContainText('卡号不对')
  await page.getByRole('textbox', { name: '卡号' }).fill(`HZ${daughter.phone}`)
  await page.getByRole('button', { name: '登记' }).click()
  await expect(page.getByRole('button', { name: '删除这张卡' })).toBeVisible()
  await lookAt(page, 'coming', '09-person-data-card')

  // A second phone that scans the same code is told, and sees nobody.
  const late = await Phone.of(request, '路人')
  await late.follows()
  expect(await late.scans(fathers)).toContain('已被另一部手机使用')
})

test('staff help to join in three steps; without a phone a slip goes home', async ({ browser, request }) => {
  test.setTimeout(120_000)
  const staff = await atConsole(browser, 'doctor')
  const office = await atConsole(browser, 'triage')
  const who = invented()
  await office.go('/patients')
  await look(office.page, '10-patients', 'coming')
  await register(office.page, who)
  await look(office.page, '11-patients-registered', 'coming')
  await office.page.getByRole('link', { name: '能否通知到' }).click()
  await expect(office.page.getByText('没有手机绑定这位患者')).toBeVisible()
  await look(office.page, '11-patients-reach', 'coming')
  await office.page.goBack()
  await office.page.getByRole('heading', { name: '查找患者' }).waitFor()
  // The doctor finds the patient in front of them by the number on the card.
  const desk = staff.page
  await staff.go('/patients')
  await desk.getByRole('textbox', { name: '姓名、手机号、证件号或卡号' }).fill(who.number)
  await desk.getByRole('button', { name: '查找' }).click()
  await expect(desk.getByText(who.name)).toHaveCount(0)
  await desk.getByRole('link', { name: '帮助绑定' }).click()
  await desk.getByRole('heading', { name: '1. 取得同意' }).waitFor()
  await look(desk, '12-help-consent', 'coming')
  await expect(desk.getByRole('button', { name: '下一步' })).toBeDisabled()
  await desk.getByLabel('患者（或家属）听明白并同意').check()
  const answer = desk.waitForResponse((one) => one.url().endsWith('/api/v1/enrolments'))
  await desk.getByRole('button', { name: '下一步' }).click()
  const { picture } = (await (await answer).json()) as { picture: string }
  await desk.getByRole('heading', { name: '2. 用微信扫这个码' }).waitFor()
  await look(desk, '13-help-code', 'coming')
  const phone = await Phone.of(request, '患者')
  expect(await phone.scans(picture)).toContain('已绑定')
  await desk.getByRole('heading', { name: '3. 完成' }).waitFor()
  await look(desk, '14-help-done', 'coming')
  await staff.go('/patients')
  await desk.getByRole('textbox', { name: '姓名、手机号、证件号或卡号' }).fill(who.number)
  await desk.getByRole('button', { name: '查找' }).click()
  await desk.getByRole('link', { name: '能否通知到' }).click()
  await expect(desk.getByText('微信通知')).toBeVisible()
  await look(desk, '14-help-reach', 'coming')

  const other = invented()
  await register(office.page, other)
  await office.page.getByRole('link', { name: '帮助绑定' }).click()
  await office.page.getByLabel('患者（或家属）听明白并同意').check()
  await office.page.getByLabel('没有手机：打印一张给家属').check()
  await office.page.getByRole('button', { name: '下一步' }).click()
  const slip = office.page.getByRole('link', { name: '打印纸条', exact: true })
  await slip.waitFor()
  await look(office.page, '15-help-slip', 'coming')
  const paper = await office.page.request.get(
    new URL((await slip.getAttribute('href')) ?? '', office.page.url()).toString(),
  )
  expect(paper.status()).toBe(200)
  expect(paper.headers()['content-type']).toBe('application/pdf')
  expect((await paper.body()).subarray(0, 5).toString()).toBe('%PDF-')
})

test('a doctor’s poster leads a stranger to that doctor’s next free numbers', async ({
  browser,
  request,
}) => {
  test.setTimeout(120_000)
  const staff = await atConsole(browser, 'operations')
  const office = staff.page
  await staff.go('/codes')
  await look(office, '20-codes', 'coming')
  await office.getByRole('button', { name: '新建二维码' }).click()
  const form = office.locator('form.codes-form')
  await form.locator('.el-select').first().click()
  await office.getByRole('option', { name: '医生名片' }).click()
  await form.locator('.el-select').nth(1).click()
  await office.getByRole('option', { name: '心血管内科' }).click()
  // The list before it fades away over the next one.
  await expect(office.getByRole('option').filter({ visible: true })).toHaveCount(0)
  await form.locator('.el-select').nth(2).click()
  const option = office.getByRole('option').filter({ visible: true }).first()
  const doctor = (await option.textContent())?.trim() ?? ''
  await option.click()
  await look(office, '21-code-new', 'coming')
  const answer = office.waitForResponse((one) => /\/api\/v1\/codes\/[^/]+$/.test(new URL(one.url()).pathname))
  await form.getByRole('button', { name: '生成' }).click()
  const { picture } = (await (await answer).json()) as { picture: string }
  await office.getByRole('heading', { name: doctor }).waitFor()
  await office.getByRole('img', { name: `${doctor}的二维码` }).waitFor()
  await look(office, '22-code', 'coming')
  for (const name of ['海报 PDF', '名片 PDF']) {
    const href = (await office.getByRole('link', { name }).getAttribute('href')) ?? ''
    const paper = await office.request.get(new URL(href, office.url()).toString())
    expect(paper.headers()['content-type'], name).toBe('application/pdf')
  }

  // Who has never followed us follows with the scan, and comes to the doctor.
  const phone = await Phone.of(request, '陌生人')
  const said = await phone.scans(picture)
  expect(said).toContain('欢迎关注')
  expect(said).toContain(`预约${doctor}医生`)
  const page = await phone.opens(browser, said)
  await expect(page).toHaveURL(/\/doctors\//)
  await expect(page.getByText(doctor).first()).toBeVisible()
  await lookAt(page, 'coming', '23-doctor')
  // One tap to the form that confirms.
  await page.locator('.doc-first a').first().click()
  await page.getByRole('heading', { name: '核对并确认' }).waitFor()
  await expect(page.getByText(doctor).first()).toBeVisible()

  // A code that leads nowhere has an answer of its own.
  for (const [problem, name] of [
    ['code_of_another_hospital', '这是另一家医院的码'],
    ['code_closed', '这个码已停用'],
    ['code_over', '这个码已过期'],
    ['code_used', '这个码已被另一部手机使用'],
    ['unavailable', '暂时查不到这个码'],
    ['code_unknown', '这不是本院的码'],
  ] as const) {
    await page.goto(new URL(`/code?problem=${problem}`, page.url()).toString())
    await expect(page.getByText(name)).toBeVisible()
    await lookAt(page, 'coming', `24-${problem}`)
  }
  await office.reload()
  await expect(office.locator('.code-facts dd').nth(5)).toHaveText('1')
})

test('a child is booked in a children’s department once its own card is registered', async ({ patient }) => {
  test.setTimeout(120_000)
  const { page, words } = patient
  await patient.chooseFirst()
  await patient.signIn()
  await patient.addSelf()
  await patient.go('/departments')
  await patient
    .link(/^儿内科/)
    .first()
    .click()
  await page.locator('article').getByRole('link', { name: words.book }).first().click()
  await patient.heading(words.check).waitFor()
  await patient.link('给其他人预约').click()
  const [child, mother] = [invented(2014, 10), invented()]
  await page.getByRole('textbox', { name: words.name }).fill(child.name)
  // The mother's number first: refused, with the way out.
  await page.getByRole('textbox', { name: words.number }).fill(mother.number)
  await page.getByRole('textbox', { name: words.phone }).fill(mother.phone)
  await patient.button(words.sendCode).click()
  await page.getByRole('textbox', { name: words.code }).fill(await patient.codeFor(mother.phone))
  await page.getByRole('checkbox', { name: words.consent }).check()
  await lookAt(page, 'coming', '40-child')
  await patient.button(words.save).click()
  await expect(page.getByRole('alert')).toContainText('这是成年人的号码')
  await lookAt(page, 'coming', '41-child-adult-number')
  await page.getByRole('textbox', { name: words.number }).fill(child.number)
  await page.getByRole('checkbox', { name: /监护人/ }).check()
  await patient.button(words.save).click()
  await patient.heading(words.check).waitFor()
  await patient.button(words.confirm).click()
  await expect(page.getByText('儿童科室要用孩子本人的卡')).toBeVisible()
  await lookAt(page, 'coming', '42-child-card-needed')
  await patient.link('去登记孩子的卡').click()
  await page.getByRole('radio', { name: '医保卡（社保卡）' }).check({ force: true })
  await page.getByRole('textbox', { name: '卡号' }).fill(child.number)
  await page.getByRole('button', { name: '登记' }).click()
  await lookAt(page, 'coming', '43-child-card')
  await patient.link('继续预约').click()
  await patient.heading(words.check).waitFor()
  await page.getByRole('radio', { name: new RegExp(child.name) }).check({ force: true })
  await patient.button(words.confirm).click()
  await patient.heading(words.booked).waitFor()
})

test('what the account says and shows, and who comes', async ({ browser }) => {
  test.setTimeout(90_000)
  const staff = await atConsole(browser, 'operations')
  for (const [at, path] of [
    '/channel/replies',
    '/channel/menus',
    '/channel/templates',
    '/channel/figures',
    '/patients/merges',
    '/patients/imports',
  ].entries()) {
    await staff.go(path)
    await look(staff.page, `3${at}-${path.slice(1).replaceAll('/', '-')}`, 'coming')
  }
})
