/**
 * A week of the hospital, run from the console alone by four of its people: operations plan it, the triage desk calls a clinic
 * off, the system administrator looks after settings and what failed, the audit administrator reads who did what.
 */
import { readFileSync } from 'node:fs'
import { expect, test, type Browser, type Page } from '@playwright/test'
import { look, signIn } from './staff'

/** One pixel, as somebody's photo. */
const PHOTO = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)
const NIGHT = /王明\s*晚上\s*专家\s*0\/20/

async function desk(browser: Browser, who: string): Promise<{ page: Page; console: string }> {
  const context = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const { urls } = await signIn(page, who)
  return { page, console: urls.console }
}

/** Chooses an entry of one of the kit's lists. */
async function choose(page: Page, label: string, option: string): Promise<void> {
  // The kit shows the chosen one over the field itself.
  const entry = page.locator('.el-select-dropdown:visible').getByRole('option', { name: option, exact: true })
  // A list that opened while the page was still being filled closes again.
  await expect(async () => {
    if (!(await entry.isVisible()))
      await page.getByRole('combobox', { name: label, exact: true }).click({ force: true })
    await entry.click({ timeout: 2_000 })
  }).toPass({ timeout: 15_000 })
}

test('four people run a week from the console alone', async ({ browser }) => {
  test.setTimeout(120_000)
  const operations = await desk(browser, 'operations')
  const { page } = operations

  // A clinic of Wednesday evenings, made of a template.
  await page.goto(`${operations.console}templates/new`)
  await choose(page, '科室', '呼吸内科')
  await choose(page, '医生', '王明')
  await choose(page, '午别', '晚上')
  await choose(page, '星期', '周三')
  await page.getByLabel('从', { exact: true }).fill('18:00')
  await page.getByLabel('到', { exact: true }).fill('20:00')
  await page.getByLabel('每段号数').fill('5')
  await page.getByRole('button', { name: '生成时段' }).click()
  await expect(page.getByText('共 20 个号')).toBeVisible()
  await page.getByRole('button', { name: '新增模板' }).click()
  await page.getByText('没有差异。').waitFor()
  await look(page, '20-template')
  const template = page.url()
  await page.getByRole('link', { name: '出诊模板' }).click()
  await page.getByRole('button', { name: '立即生成出诊' }).click()
  await expect(page.getByText(/新增 [2-9] 次出诊/)).toBeVisible()

  // It stands in the week; places are changed by hand, never below those that are taken.
  await page.getByRole('link', { name: '周排班' }).click()
  await choose(page, '医生', '王明')
  await expect(page).toHaveURL(/doctor_id=doc_/)
  await page.getByRole('button', { name: /下一周/ }).click()
  await expect(page).toHaveURL(/from=/)
  await page.reload()
  const evening = page.getByRole('link', { name: NIGHT })
  await evening.waitFor()
  await look(page, '21-week')
  // Without a mouse: from cell to cell, and in.
  await evening.focus()
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('ArrowRight')
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: '导出 CSV' }).click(),
  ])
  expect(readFileSync(await file.path(), 'utf8')).toContain('晚上,呼吸内科,王明')
  await evening.click()
  await page.getByLabel(/18:00.*的号数/).fill('8')
  await page.getByRole('button', { name: '保存', exact: true }).click()
  await expect(page.getByText('手工调整过')).toBeVisible()
  await expect(page.getByText('0/23')).toBeVisible()
  await look(page, '22-clinic')
  const clinic = page.url()

  // One Wednesday there is none: the exception is looked at before it is applied.
  await page.goto(template)
  await page.getByRole('heading', { name: '例外日期' }).waitFor()
  const first = await page.evaluate(() => {
    const day = new Date(Date.now() + 8 * 3_600_000)
    do day.setUTCDate(day.getUTCDate() + 1)
    while (day.getUTCDay() !== 3)
    return day.toISOString().slice(0, 10)
  })
  await page.getByLabel('日期', { exact: true }).fill(first)
  await page.getByLabel('备注（同事可见）').fill('科室会议')
  await page.getByRole('button', { name: '添加例外' }).click()
  await expect(page.getByText('科室会议')).toBeVisible()
  await expect(page.getByRole('cell', { name: '删除' })).toBeVisible()
  await look(page, '23-exception')
  await page.getByRole('button', { name: '应用到 1 次出诊' }).click()
  await page.getByRole('dialog').getByRole('button', { name: '更新' }).click()
  await expect(page.getByRole('cell', { name: '删除' })).toHaveCount(0)

  // The holidays of a year that was not announced yet.
  const year = Number(first.slice(0, 4)) + 2
  await page.goto(`${operations.console}calendar?year=${year}`)
  await expect(page.getByText('还没有录入')).toBeVisible()
  await page.getByRole('button', { name: `修改 ${year} 年` }).click()
  await page.getByRole('button', { name: /^1月3日/ }).click()
  await page.getByRole('button', { name: `保存 ${year} 年日历` }).click()
  await expect(page.getByText('1 天放假')).toBeVisible()
  await expect(page.getByText('还没有录入')).toHaveCount(0)
  await look(page, '24-calendar')

  // Seventy of a hundred online for one doctor, in the words that patients read.
  await page.getByRole('link', { name: '渠道配额' }).click()
  await page.getByRole('button', { name: '新增规则' }).click()
  await choose(page, '医生', '王明')
  await page.getByLabel('线上 / 现场比例').last().fill('70')
  await page.getByRole('button', { name: '填入' }).click()
  await page.getByLabel('窗口（现场）：至少保留').fill('2')
  await look(page, '25-quota')
  await page.getByRole('button', { name: '保存规则' }).click()
  await expect(page.getByText('70% 留给网上预约')).toBeVisible()
  await expect(page.getByText('窗口挂号至少保留 2 个号')).toBeVisible()
  await page.getByRole('button', { name: /^应用到 \d+ 次出诊$/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: '应用' }).click()
  await expect(page.getByText('所有出诊都已经按规则划分')).toBeVisible()
  await look(page, '26-quotas')
  await page.goto(clinic)
  await expect(page.getByText('0/16')).toBeVisible()

  // A doctor's profile in both languages with a photo, as patients then see it.
  await page.goto(`${operations.console}doctors?q=wangming`)
  await page.getByRole('link', { name: '王明' }).click()
  await page.getByLabel('简介 · 中文').fill('擅长慢性咳嗽，耐心细致。')
  await page.getByLabel('简介 · 英文').fill('Known for patient care of chronic cough.')
  await page.getByRole('button', { name: '保存', exact: true }).click()
  await expect(page.getByText('已保存，患者端几秒内更新。')).toBeVisible()
  await page.getByLabel('选择照片').setInputFiles({ name: 'wang.png', mimeType: 'image/png', buffer: PHOTO })
  await expect(page.getByRole('img', { name: '王明' })).toBeVisible()
  await look(page, '27-doctor')
  const shown = await page.getByRole('link', { name: /看患者看到的页面/ }).getAttribute('href')
  await expect(async () => {
    await page.goto(new URL(shown ?? '', operations.console).href)
    await expect(page.getByText('擅长慢性咳嗽，耐心细致。')).toBeVisible({ timeout: 2_000 })
  }).toPass({ timeout: 20_000 })
  // What patients could not be told would stand here.
  await page.goto(`${operations.console}deliveries`)
  await choose(page, '结果', '不确定是否送达')
  await expect(page).toHaveURL(/state=unknown/)
  await expect(page.getByText('没有符合条件的记录。')).toBeVisible()
  await look(page, '28-deliveries')

  // The triage desk calls the evening off: asked once, told what it means.
  const triage = await desk(browser, 'triage')
  await triage.page.goto(clinic)
  await triage.page.getByLabel('告诉患者的原因 · 中文').fill('医生临时有手术')
  await triage.page.getByLabel('告诉患者的原因 · 英文').fill('The doctor has an urgent operation')
  await triage.page.getByRole('button', { name: '停诊', exact: true }).click()
  await triage.page.getByRole('dialog').getByRole('button', { name: '停诊并通知' }).click()
  await expect(triage.page.locator('.head').getByText('停诊')).toBeVisible()
  await expect(triage.page.getByRole('button', { name: '保存', exact: true })).toHaveCount(0)
  await look(triage.page, '29-stopped')
  // Taken back within ten minutes, it takes place again.
  await triage.page.getByRole('button', { name: /^撤销（/ }).click()
  await triage.page.getByRole('dialog').getByRole('button', { name: '撤销停诊' }).click()
  await expect(triage.page.locator('.head').getByText('出诊', { exact: true })).toBeVisible()

  // The system administrator: a value that can't be is named, one that can holds at once and is taken back.
  const admin = await desk(browser, 'admin')
  await admin.page.goto(`${admin.console}settings`)
  const section = admin.page.locator('form', { hasText: 'booking.limits' })
  await section.getByLabel('未付款的号保留多少分钟').fill('500')
  await section.getByRole('button', { name: '保存这一组' }).click()
  await expect(section.getByText('应在 1 到 120 之间').last()).toBeVisible()
  await section.getByLabel('未付款的号保留多少分钟').fill('20')
  await section.getByRole('button', { name: '保存这一组' }).click()
  await expect(section.getByText('默认：15')).toBeVisible()
  await section.getByText('修改记录').click()
  await expect(section.getByText('hold_minutes：默认值 → 20')).toBeVisible()
  await look(admin.page, '30-settings')
  await section.getByRole('button', { name: '撤销' }).click()
  await expect(section.getByLabel('未付款的号保留多少分钟')).toHaveValue('15')
  await admin.page.getByRole('button', { name: 'English' }).click()
  await admin.page.getByRole('link', { name: 'Failed work' }).click()
  await admin.page.getByRole('heading', { name: 'Failed work' }).waitFor()
  await look(admin.page, '31-trouble-en')

  // And all of it stands in the audit log.
  const audit = await desk(browser, 'audit')
  await audit.page.goto(`${audit.console}audit?action=s`)
  for (const action of ['schedule.stop', 'schedule.quota', 'schedule.place', 'settings.change']) {
    await audit.page.goto(`${audit.console}audit?action=${action}`)
    await expect(audit.page.getByRole('row', { name: new RegExp(action) }).first()).toBeVisible()
  }
})
