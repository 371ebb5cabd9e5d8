/**
 * The console: a new hospital's first administrator sets up and lets somebody in; then what staff of the demonstration see.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, type Page } from '@playwright/test'
import { look, signIn, totp } from './staff'

const root = join(import.meta.dirname, '../..')
const binary = process.env.XINGLIN_BIN ?? join(root, 'target/debug/xinglin')
const PASSWORD = 'Sunny-Day-2026'

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resume) => server.listen(0, '127.0.0.1', resume))
  const { port } = server.address() as AddressInfo
  await new Promise((resume) => server.close(resume))
  return port
}

/** A hospital with nobody in it, served on a port of its own; and what the program said at its first start. */
async function newHospital(): Promise<{ url: string; code: string; stop: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'xinglin-console-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const env = {
    ...process.env,
    XINGLIN__SERVER__LISTEN: `127.0.0.1:${port}`,
    XINGLIN__SERVER__PUBLIC_URL: url,
    XINGLIN__DATABASE__PATH: join(folder, 'xinglin.db'),
    XINGLIN__KEYS__FILE: join(folder, 'keys'),
    XINGLIN__LOG__LEVEL: 'warn',
  }
  const file = join(folder, 'hospital.toml')
  writeFileSync(
    file,
    ['id = 1', 'code = "clinic"', 'zone = "Asia/Shanghai"', 'phone = "021-00000000"']
      .concat(
        ['name', 'short_name', 'address'].map((what) => `[${what}]\nzh = "橘井诊所"\nen = "Jujing Clinic"`),
      )
      .join('\n'),
  )
  execFileSync(binary, ['migrate'], { env, cwd: root })
  execFileSync(binary, ['hospital', 'set', file], { env, cwd: root })
  const program: ChildProcess = spawn(binary, ['serve'], {
    env,
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  program.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const stop = async (): Promise<void> => {
    if (program.exitCode === null) {
      const ended = new Promise((resume) => program.once('exit', resume))
      program.kill('SIGTERM')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await expect(() => expect(said).toMatch(/code +[A-Z2-9-]{19}/)).toPass({ timeout: 30_000 })
  } catch (failure) {
    await stop()
    throw failure
  }
  return { url, code: /code +([A-Z2-9-]{19})/.exec(said)?.[1] ?? '', stop }
}

/** From the sign-in page with a one-time code to the first page. */
async function setUp(page: Page, login: string, code: string, looks = false): Promise<void> {
  await page.getByRole('heading', { name: '员工登录' }).waitFor()
  if (looks) await look(page, '01-sign-in')
  await page.getByLabel('账号').fill(login)
  await page.getByLabel('密码', { exact: true }).fill(code)
  await page.getByRole('button', { name: '下一步' }).click()
  await page.getByRole('heading', { name: '设置密码' }).waitFor()
  await page.getByLabel('新密码').fill('short')
  await page.getByLabel('再输入一次').fill('short')
  await page.getByRole('button', { name: '下一步' }).click()
  await expect(page.getByRole('alert')).toContainText('至少 12 个字符')
  if (looks) await look(page, '02-new-password')
  await page.getByLabel('新密码').fill(PASSWORD)
  await page.getByLabel('再输入一次').fill(PASSWORD)
  await page.getByRole('button', { name: '下一步' }).click()
  await page.getByRole('heading', { name: '绑定验证器' }).waitFor()
  await page.getByText('无法扫码').click()
  const secret = await page.locator('.totp-secret').innerText()
  if (looks) await look(page, '03-authenticator')
  await page.getByLabel('验证码').fill(totp(secret))
  await page.getByRole('button', { name: '登录' }).click()
  await page.getByRole('heading', { name: '请保存恢复码' }).waitFor()
  expect(await page.locator('.codes li').count()).toBe(8)
  if (looks) await look(page, '04-recovery-codes')
  await page.getByRole('button', { name: '我已保存好' }).click()
}

test('the first administrator sets up and lets an operator in', async ({ page, browser }) => {
  test.setTimeout(60_000)
  const hospital = await newHospital()
  try {
    await page.goto(`${hospital.url}/h/clinic/console/`)
    await setUp(page, 'admin', hospital.code, true)
    await page.getByRole('link', { name: '员工', exact: true }).click()
    await page.getByRole('heading', { name: '员工', exact: true }).waitFor()
    await expect(page.getByText('还没有安全管理员完成首次登录')).toBeVisible()
    await page.getByRole('button', { name: '新增员工' }).click()
    await page.getByLabel('账号', { exact: true }).fill('Zhou.XL')
    await page.getByLabel('姓名').fill('周晓岚')
    // The kit draws its own box over the real one: a person clicks the words.
    await page.locator('label', { hasText: '运营' }).click()
    await page.locator('label', { hasText: '审计管理员' }).click()
    await expect(page.getByLabel('安全管理员')).toBeDisabled()
    await page.locator('label', { hasText: '审计管理员' }).click()
    await look(page, '05-new')
    await page.getByRole('button', { name: '新增并生成登录码' }).click()
    await page.getByText('已新增 zhou.xl').waitFor()
    const code = await page.locator('output.code').innerText()
    await look(page, '06-code')
    await page.getByRole('link', { name: '回到员工列表' }).click()
    await expect(page.getByRole('row', { name: /zhou\.xl.*周\*\*.*运营.*待首次登录/ })).toBeVisible()
    await look(page, '07-staff')

    // On another machine.
    const other = await browser.newContext({ locale: 'zh-CN' })
    const zhou = await other.newPage()
    await zhou.goto(`${hospital.url}/console/`)
    await setUp(zhou, 'zhou.xl', code)
    await expect(zhou.locator('.top-who')).toContainText('周晓岚')
    await expect(zhou.locator('.top-who')).toContainText('运营')
    await expect(zhou.getByRole('link', { name: '员工', exact: true })).toHaveCount(0)
    await zhou.goto(`${hospital.url}/console/staff`)
    await zhou.getByRole('heading', { name: '没有权限' }).waitFor()
    // Locked by the administrator: out at once.
    await page.getByRole('link', { name: 'zhou.xl' }).click()
    await page.getByRole('heading', { name: '周晓岚 · zhou.xl' }).waitFor()
    await look(page, '08-one')
    await page.getByRole('button', { name: '锁定' }).click()
    await page.getByRole('dialog').getByRole('button', { name: '锁定' }).click()
    await expect(page.getByText('已锁定').first()).toBeVisible()
    await zhou.goto(`${hospital.url}/console/me`)
    await zhou.getByRole('heading', { name: '员工登录' }).waitFor()
    await other.close()
  } finally {
    await hospital.stop()
  }
})

test('the audit log keeps its filters in the address and gives them as CSV', async ({ page }) => {
  const { urls } = await signIn(page, 'audit')
  await page.getByRole('link', { name: '审计日志' }).click()
  await page.getByLabel('操作人').fill('audit')
  await page.getByLabel('操作', { exact: true }).fill('staff.sign_in')
  await page.getByLabel('操作', { exact: true }).press('Enter')
  await expect(page).toHaveURL(/actor=audit/)
  await expect(page).toHaveURL(/action=staff\.sign_in/)
  await expect(page.getByRole('row', { name: /audit.*staff\.sign_in/ }).first()).toBeVisible()
  await look(page, '11-audit')
  await page.reload()
  await expect(page.getByLabel('操作人')).toHaveValue('audit')
  await expect(page.getByRole('row', { name: /audit.*staff\.sign_in/ }).first()).toBeVisible()
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: '导出 CSV' }).click(),
  ])
  expect(file.suggestedFilename()).toBe('audit.csv')
  expect(readFileSync(await file.path(), 'utf8')).toContain('staff.sign_in')
  // Everything can be reached without a mouse, and in English.
  await page.getByRole('button', { name: 'English' }).press('Enter')
  await page.getByRole('heading', { name: 'Audit log' }).waitFor()
  await look(page, '12-audit-en')
  await page.goto(`${urls.console}roles`)
  await page.getByRole('heading', { name: 'Roles and permissions' }).waitFor()
  await look(page, '13-roles-en')
})

test('somebody looks after their own account', async ({ page }) => {
  const { urls } = await signIn(page, 'nurse')
  await page.goto(`${urls.console}me`)
  await page.getByText('当前会话').waitFor()
  await look(page, '14-me')
  await page.getByRole('button', { name: '生成新的恢复码' }).click()
  await page.getByLabel('验证码').fill('000000')
  await page.getByRole('button', { name: '确认' }).click()
  await expect(page.getByRole('alert')).toContainText('验证码不对')
  await page.getByRole('button', { name: '退出登录' }).click()
  await page.getByRole('heading', { name: '员工登录' }).waitFor()
  // Through WeCom, choosing on the page that stands for the scan.
  await page.getByRole('link', { name: '用企业微信登录' }).click()
  await page.getByRole('link', { name: '林若水' }).click()
  await expect(page.locator('.top-who')).toContainText('林若水')
})
