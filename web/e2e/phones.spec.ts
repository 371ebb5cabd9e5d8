/**
 * The same journey on the demonstration's own phones: follow, open the link in the chat, be recognised by the account that
 * follows, bind the record that the hospital has, book, see the notice arrive, cancel.
 */
import { readFileSync } from 'node:fs'
import { expect, type APIRequestContext, type FrameLocator, type Page, test } from '@playwright/test'

interface Demo {
  urls: { phones: string }
  patients: Record<string, { phone_id: string | null; phone_number: string }>
}

const PHONES = [
  {
    id: 'p1',
    locale: 'zh-CN',
    follow: '关注公众号',
    open: '预约挂号',
    department: /心血管内科/,
    book: /^预约 /,
    bind: '来过本院，绑定已有档案',
    name: '真实姓名',
    phone: '手机号',
    code: '短信验证码',
    send: '获取验证码',
    consent: /我同意医院/,
    save: '绑定',
    confirm: '确认预约',
    done: '预约成功',
    see: '查看预约',
    cancel: '取消预约',
    yes: '确定取消',
    cancelled: '已取消，号已退回',
  },
  {
    id: 'p2',
    locale: 'en-GB',
    follow: 'Follow',
    open: 'Book a doctor',
    department: /Orthopa?edics/,
    book: /^Book /,
    bind: 'Been here before: link your record',
    name: 'Full name',
    phone: 'Mobile number',
    code: 'Code from the text message',
    send: 'Send me a code',
    consent: /I agree that the hospital/,
    save: 'Link',
    confirm: 'Book this visit',
    done: 'Your visit is booked',
    see: 'See this visit',
    cancel: 'Cancel this visit',
    yes: 'Yes, cancel it',
    cancelled: 'Cancelled. Your place has been given back.',
  },
]

const demo = (): Demo => JSON.parse(readFileSync(process.env.XINGLIN_DEMO ?? '', 'utf8')) as Demo

async function newestCode(request: APIRequestContext, sim: string, phone: string): Promise<string> {
  let code = ''
  await expect(async () => {
    const inbox = (await (await request.get(`${sim}sim/v1/phones/${phone}/sms`)).json()) as {
      items: { params: { code?: string } }[]
    }
    code =
      inbox.items
        .map((one) => one.params.code ?? '')
        .filter(Boolean)
        .at(-1) ?? ''
    expect(code).toMatch(/^\d{6}$/)
  }).toPass()
  return code
}

async function openChat(page: Page, words: (typeof PHONES)[number]): Promise<FrameLocator> {
  await page
    .getByRole('button', { name: /杏林|Xinglin/ })
    .first()
    .click()
  await page.getByRole('button', { name: words.follow }).first().click()
  await page.getByRole('log').getByRole('button', { name: words.open }).last().click()
  return page.frameLocator('iframe')
}

for (const words of PHONES) {
  test(`phone ${words.id} (${words.locale}) follows, books, is told, and cancels`, async ({
    browser,
    request,
  }) => {
    const { urls, patients } = demo()
    const [name, mine] = Object.entries(patients).find(([, one]) => one.phone_id === words.id) ?? [
      '',
      undefined,
    ]
    expect(mine, `the demonstration has a patient on ${words.id}`).toBeTruthy()
    const sim = urls.phones
    const context = await browser.newContext({ locale: words.locale, viewport: { width: 430, height: 900 } })
    const page = await context.newPage()
    await page.goto(sim.replace(/\/\/[^:]+/, `//${words.id}.localhost`))

    const app = await openChat(page, words)
    await app.getByRole('link', { name: words.department }).first().click()
    await app.locator('article').getByRole('link', { name: words.book }).last().click()
    // The link in the chat has signed in already: nobody asks who it is.
    await app.getByRole('link', { name: words.bind }).click()
    await app.getByRole('textbox', { name: words.name }).fill(name)
    await app.getByRole('textbox', { name: words.phone }).fill(mine?.phone_number ?? '')
    await app.getByRole('button', { name: words.send }).click()
    await app.getByRole('textbox', { name: words.code }).fill(await newestCode(request, sim, words.id))
    await app.getByRole('checkbox', { name: words.consent }).check()
    await app.getByRole('button', { name: words.save, exact: true }).click()
    await app.getByRole('button', { name: words.confirm }).click()
    await expect(app.getByRole('heading', { name: words.done })).toBeVisible()

    // The hospital tells the follower in the chat, once; the notice's title is the platform's and Chinese.
    const chat = page.getByRole('log')
    await expect(chat.getByRole('heading', { name: /成功/ })).toHaveCount(1)

    await app.getByRole('link', { name: words.see }).click()
    await app.getByRole('button', { name: words.cancel }).click()
    await app.getByRole('button', { name: words.yes }).click()
    await expect(app.getByText(words.cancelled)).toBeVisible()
    await expect(chat.getByRole('heading', { name: /取消/ })).toHaveCount(1)
    await context.close()
  })
}
