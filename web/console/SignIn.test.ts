/** The whole way in, against a server that answers as ours does. */
import { setLang } from '@shared/i18n/i18n'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createMemoryHistory } from 'vue-router'
import App from './App.vue'
import { session } from './lib/session'
import { makeRouter } from './router'

type Said = [path: string, body: unknown]

const TICKET = 'a'.repeat(64)
const codes = Array.from({ length: 8 }, (_, n) => `AAAA${n + 2}-BBBBB`)
const me = {
  id: 'stf_1',
  login: 'lin',
  name: '林若水',
  roles: ['security_admin'],
  permissions: ['staff.manage', 'staff.own', 'staff.see'],
  manages_staff: true,
  way: 'password',
  department_ids: [],
  wecom: false,
  second_factor: true,
  recovery_codes_left: 8,
}
const nobody = { signed_in: false, csrf: '', lang: 'zh', wecom_available: true, idle_minutes: 30 }
const somebody = { ...nobody, signed_in: true, csrf: 'c1', me }

let answers: Record<string, { status: number; body: unknown }>
const said: Said[] = []
let page: VueWrapper

beforeEach(async () => {
  said.length = 0
  answers = {
    'GET /api/v1/staff/members': { status: 200, body: { items: [], next: null } },
  }
  vi.stubGlobal('fetch', async (request: Request) => {
    const path = `${request.method} ${new URL(request.url).pathname}`
    said.push([path, request.method === 'GET' ? undefined : await request.clone().json()])
    const { status, body } = answers[path] ?? { status: 404, body: { code: 'not_found' } }
    return new Response(JSON.stringify(body), { status })
  })
  await setLang('zh')
  session.value = nobody as never
})
afterEach(() => page.unmount())

async function open(path: string): Promise<VueWrapper> {
  const router = makeRouter(createMemoryHistory())
  await router.push(path)
  page = mount(App, { global: { plugins: [router] }, attachTo: document.body })
  await flushPromises()
  return page
}

const heading = (): string => page.get('h1').text()
async function type(...texts: string[]): Promise<void> {
  const fields = page.findAll('input:not(.sr)')
  for (const [n, text] of texts.entries()) await fields[n]?.setValue(text)
  await page.get('form').trigger('submit')
  await flushPromises()
}

test('a first time: code, own password, authenticator, recovery codes, and on to where one wanted to go', async () => {
  answers['POST /api/v1/staff/session/password'] = {
    status: 200,
    body: { step: 'new_password', ticket: TICKET, login: 'lin' },
  }
  answers['POST /api/v1/staff/session/new-password'] = {
    status: 200,
    body: {
      step: 'enrol',
      ticket: TICKET,
      login: 'lin',
      secret: 'GEZDGNBV',
      uri: 'otpauth://totp/x:lin?secret=GEZDGNBV',
    },
  }
  answers['POST /api/v1/staff/session/second-factor'] = {
    status: 200,
    body: { session: somebody, recovery_codes: codes },
  }
  await open('/staff?role=nurse')
  expect(heading()).toBe('员工登录')
  await type('lin', 'ABCD-EFGH')
  expect(heading()).toBe('设置密码')
  await type('Sunny-Day-2026', 'Sunny-Day-2027')
  expect(page.text()).toContain('两次输入不一致')
  await type('Sunny-Day-2026', 'Sunny-Day-2026')
  expect(heading()).toBe('绑定验证器')
  expect(page.get('svg[role=img]').attributes('aria-label')).toBe('二维码：验证器密钥')
  expect(page.text()).toContain('GEZD GNBV')
  await type('123456')
  expect(heading()).toBe('请保存恢复码')
  for (const code of codes) expect(page.text()).toContain(code)
  await page
    .findAll('button')
    .find((one) => one.text() === '我已保存好')
    ?.trigger('click')
  await flushPromises()
  expect(said.filter(([path]) => path.startsWith('POST'))).toEqual([
    ['POST /api/v1/staff/session/password', { login: 'lin', password: 'ABCD-EFGH' }],
    ['POST /api/v1/staff/session/new-password', { ticket: TICKET, password: 'Sunny-Day-2026' }],
    ['POST /api/v1/staff/session/second-factor', { ticket: TICKET, code: '123456' }],
  ])
  await vi.waitFor(() => expect(heading()).toBe('员工'), { timeout: 15_000 })
})

test('what is wrong is said where it is, and a sign-in that took too long begins again', async () => {
  answers['POST /api/v1/staff/session/password'] = {
    status: 422,
    body: { code: 'sign_in_wrong', detail: '账号或密码不对，请检查后再试。' },
  }
  await open('/sign-in')
  await type('lin', 'x')
  expect(page.get('[role=alert]').text()).toContain('账号或密码不对')
  answers['POST /api/v1/staff/session/password'] = {
    status: 429,
    body: { code: 'too_many_tries', detail: '尝试次数过多，请稍后再试。', retry_after_s: 840 },
  }
  await type('lin', 'x')
  expect(page.get('[role=alert]').text()).toContain('14 分钟')
  answers['POST /api/v1/staff/session/password'] = {
    status: 200,
    body: { step: 'second_factor', ticket: TICKET, login: 'lin' },
  }
  await type('lin', 'right')
  expect(heading()).toBe('输入验证码')
  answers['POST /api/v1/staff/session/second-factor'] = {
    status: 422,
    body: {
      code: 'second_factor_wrong',
      detail: '验证码不对。',
      fields: [{ field: 'code', code: 'x', detail: '验证码不对。' }],
    },
  }
  await type('000000')
  expect(page.get('[role=alert]').text()).toBe('验证码不对。')
  answers['POST /api/v1/staff/session/second-factor'] = {
    status: 410,
    body: { code: 'sign_in_expired', detail: '登录已超时。' },
  }
  await type('000000')
  expect(heading()).toBe('员工登录')
})

test('WeCom leads to the second factor by what stands behind the #, and its troubles have words', async () => {
  await open(`/sign-in?to=%2Fconsole%2Fstaff#ticket=${TICKET}`)
  expect(heading()).toBe('输入验证码')
  answers['POST /api/v1/staff/session/second-factor'] = { status: 200, body: { session: somebody } }
  await type('123456')
  await vi.waitFor(() => expect(heading()).toBe('员工'), { timeout: 15_000 })
  page.unmount()
  session.value = nobody as never
  await open('/sign-in?problem=wecom_unknown')
  expect(page.text()).toContain('没有对应的员工账号')
  expect(page.get('a[href^="/auth/wecom"]').text()).toBe('用企业微信登录')
})

test('a page is shown to whom it belongs, the menu likewise', async () => {
  session.value = {
    ...somebody,
    me: { ...me, roles: ['nurse'], permissions: ['staff.own'], manages_staff: false },
  } as never
  await open('/staff')
  expect(heading()).toBe('没有权限')
  const menu = page.get('nav').text()
  expect(menu).toContain('我的账号')
  expect(menu).not.toContain('审计日志')
})
