/** Signing in, persons, visits and choices, as a person with a screen reader would use them. */
import { allByRole, byRole, choose, type as typeInto, until } from '@shared/test/roles'
import { afterEach, describe, expect, it } from 'vitest'
import { guest, member, open, person, problem, Status, visit, type World } from '../test/world'

let world: World | undefined
afterEach(() => {
  world?.close()
  world = undefined
  document.documentElement.removeAttribute('data-elder')
})
const press = (role: 'button' | 'link', name: string | RegExp): void => byRole(role, name).click()

describe('signing in', () => {
  it('takes a phone number and a code, and goes on to where it was needed', async () => {
    world = await open('/sign-in?to=/persons', guest, {
      'POST /session/sms': new Status(202, { resend_after_s: 60, expires_in_s: 300 }),
      'POST /session/phone': () => {
        if (world) world.on['GET /session'] = member
        return new Status(200, member)
      },
    })
    typeInto(await until(() => byRole('textbox', '手机号')), '138 0000 0001')
    press('button', '获取验证码')
    const code = await until(() => byRole('textbox', '验证码'))
    expect(document.body.textContent).toContain('138****0001')
    typeInto(code, '123456')
    await until(() => byRole('heading', '就诊人'))
    expect(world.asked('POST /session/phone')[0]?.body).toEqual({ phone: '13800000001', code: '123456' })
  })

  it('says how many tries are left, at the field', async () => {
    world = await open('/sign-in', guest, {
      'POST /session/sms': new Status(202, { resend_after_s: 60 }),
      'POST /session/phone': problem(422, 'code_wrong', { tries_left: 4 }),
    })
    typeInto(await until(() => byRole('textbox', '手机号')), '13800000001')
    press('button', '获取验证码')
    const code = await until(() => byRole('textbox', '验证码'))
    typeInto(code, '000000')
    await until(() => expect(document.body.textContent).toContain('验证码不对，还可以试 4 次'))
    expect(code.getAttribute('aria-invalid')).toBe('true')
    expect(code.getAttribute('aria-describedby')).toContain('code-error')
  })

  it('refuses a number that is none before it asks anyone', async () => {
    world = await open('/sign-in')
    typeInto(await until(() => byRole('textbox', '手机号')), '123')
    press('button', '获取验证码')
    await until(() => expect(document.body.textContent).toContain('请输入 11 位大陆手机号'))
    expect(world.asked('POST /session/sms')).toHaveLength(0)
  })

  it('explains WeChat’s snapshot pages', async () => {
    world = await open('/sign-in?problem=snapshot')
    await until(() => expect(byRole('alert').textContent).toContain('使用完整服务'))
  })

  it('never goes on to a foreign address', async () => {
    world = await open('/sign-in?to=//evil.example', member)
    await until(() => expect(world?.router.currentRoute.value.fullPath).toBe('/'))
  })
})

describe('persons', () => {
  it('ask guests to sign in', async () => {
    world = await open('/persons')
    press('button', await until(() => (byRole('button', '登录'), '登录')))
    await until(() => byRole('heading', '登录'))
  })

  it('are checked before anything is sent; each fault leads to its field', async () => {
    world = await open('/persons/new', member)
    press('button', await until(() => (byRole('button', '保存就诊人'), '保存就诊人')))
    const alert = await until(() => byRole('alert'))
    expect(alert.textContent).toContain('请输入真实姓名')
    expect(alert.textContent).toContain('请先同意使用这些资料')
    byRole('link', '请输入证件号码').click()
    expect(document.activeElement?.id).toBe('number')
    expect(world.asked('POST /persons')).toHaveLength(0)
  })

  it('are added and chosen for the visit that waits', async () => {
    const back = '/confirm?slot=slt_1&date=2026-11-26&doctor=doc_1'
    const added = { ...person, id: 'per_9', name: '李小龙' }
    world = await open(`/persons/new?to=${encodeURIComponent(back)}`, member, {
      'POST /persons': () => {
        if (world) world.on['GET /session'] = { ...member, persons: [person, added] }
        return added
      },
    })
    await until(() => byRole('textbox', '真实姓名'))
    choose(byRole('radio', '孩子'))
    typeInto(byRole('textbox', '真实姓名'), '李小龙')
    typeInto(byRole('textbox', '证件号码'), '11000019000101000x'.replace('x', rightDigit()))
    typeInto(byRole('textbox', /家长手机号|手机号/), '13800000001')
    typeInto(byRole('textbox', '短信验证码'), '123456')
    choose(byRole('checkbox', /同意医院为预约就诊/))
    press('button', '保存就诊人')
    // Born in 1900: a child on paper only, so that no guardian is asked for.
    await until(() => byRole('heading', '核对并确认'))
    expect(world.asked('POST /persons')[0]?.body).toMatchObject({
      name: '李小龙',
      document: { kind: 'resident_id' },
      relation: 'child',
      consent_version: '1',
    })
    await until(() => expect((byRole('radio', /李小龙/) as HTMLInputElement).checked).toBe(true))
  })

  it('who are children are sent as such, with their own card', async () => {
    world = await open('/persons/new', member, { 'POST /persons': problem(409, 'adult_number') })
    await until(() => byRole('textbox', '真实姓名'))
    expect(allByRole('textbox', /医保卡/)).toHaveLength(0)
    choose(byRole('radio', '孩子'))
    typeInto(byRole('textbox', '真实姓名'), '李小龙')
    typeInto(byRole('textbox', '证件号码'), '11000019000101000' + rightDigit())
    typeInto(await until(() => byRole('textbox', /医保卡/)), 'A12345678')
    typeInto(byRole('textbox', /家长手机号|手机号/), '13800000001')
    typeInto(byRole('textbox', '短信验证码'), '123456')
    choose(byRole('checkbox', /同意医院为预约就诊/))
    press('button', '保存就诊人')
    const alert = await until(() => byRole('alert'))
    expect(alert.textContent).toContain('这是成年人的号码')
    expect(world.asked('POST /persons')[0]?.body).toMatchObject({
      as_child: true,
      card: { kind: 'insurance', number: 'A12345678' },
    })
    // A grown-up child has neither.
    choose(byRole('radio', '已满 18 岁'))
    await until(() => expect(allByRole('textbox', /医保卡/)).toHaveLength(0))
    press('button', '保存就诊人')
    await until(() => expect(world?.asked('POST /persons')).toHaveLength(2))
    const second = world.asked('POST /persons')[1]?.body
    expect(second).toMatchObject({ as_child: false })
    expect(second).not.toHaveProperty('card')
  })

  it('read what they agree to in the hospital’s own words, and in ours where it has written none', async () => {
    world = await open('/persons/new', member, {
      'GET /consent-texts/consent': {
        title: { zh: '知情同意书', en: 'Consent' },
        body: { zh: '第一段\n\n第二段', en: 'One' },
      },
    })
    await until(() => byRole('textbox', '真实姓名'))
    press('button', '看看会怎么用')
    await until(() => expect(document.body.textContent).toContain('知情同意书'))
    expect([...document.querySelectorAll('.prose p')].map((p) => p.textContent)).toEqual(['第一段', '第二段'])
    world.close()
    world = await open('/persons/new', member, { 'GET /consent-texts/consent': problem(404, 'not_found') })
    await until(() => byRole('textbox', '真实姓名'))
    press('button', '看看会怎么用')
    await until(() => expect(document.body.textContent).toContain('您的资料怎么用'))
    await until(() => expect(document.body.textContent).toContain('我们收什么'))
  })

  it('under 14 need their guardian’s consent; the server’s findings stand at their fields', async () => {
    world = await open('/persons/new', member, {
      'POST /persons': problem(422, 'guardian_consent_required', {
        fields: [
          { field: 'guardian_consent', code: 'guardian_consent_required', detail: '' },
          { field: 'code', code: 'code_expired', detail: '' },
        ],
      }),
    })
    await until(() => byRole('textbox', '真实姓名'))
    choose(byRole('radio', '其他亲友'))
    typeInto(byRole('textbox', '真实姓名'), '李小龙')
    typeInto(byRole('textbox', '证件号码'), '11000019000101000' + rightDigit())
    typeInto(byRole('textbox', '手机号'), '13800000001')
    typeInto(byRole('textbox', '短信验证码'), '123456')
    choose(byRole('checkbox', /同意医院为预约就诊/))
    expect(allByRole('checkbox', /监护人/)).toHaveLength(0)
    press('button', '保存就诊人')
    const alert = await until(() => byRole('alert'))
    expect(alert.textContent).toContain('需要监护人同意')
    expect(alert.textContent).toContain('验证码已过期')
    await until(() => byRole('checkbox', /监护人/))
  })

  it('that share name and phone are told apart by their document', async () => {
    world = await open('/persons/bind', member, { 'POST /persons/bind': problem(409, 'document_needed') })
    await until(() => byRole('textbox', '真实姓名'))
    typeInto(byRole('textbox', '真实姓名'), '王五')
    typeInto(byRole('textbox', '手机号'), '13800000001')
    typeInto(byRole('textbox', '短信验证码'), '123456')
    choose(byRole('checkbox', /同意医院为预约就诊/))
    press('button', '绑定')
    typeInto(await until(() => byRole('textbox', '证件号码后四位')), '123x')
    world.on['POST /persons/bind'] = person
    world.on['GET /persons'] = { items: [person], limit: 5 }
    press('button', '绑定')
    await until(() => byRole('heading', '就诊人'))
    expect(world.asked('POST /persons/bind')[1]?.body).toMatchObject({ document_last4: '123X' })
  })

  it('that are known are bound without telling whether anyone exists', async () => {
    world = await open('/persons/bind', member, { 'POST /persons/bind': problem(404, 'no_match') })
    await until(() => byRole('textbox', '真实姓名'))
    typeInto(byRole('textbox', '真实姓名'), '王五')
    typeInto(byRole('textbox', '手机号'), '13800000001')
    typeInto(byRole('textbox', '短信验证码'), '123456')
    choose(byRole('checkbox', /同意医院为预约就诊/))
    press('button', '绑定')
    await until(() => expect(byRole('alert').textContent).toContain('没有找到相符的档案'))
    expect(byRole('link', '新建就诊人')).toBeTruthy()
  })

  it('are unbound only after a warning about visits that are still to come', async () => {
    world = await open('/persons', member, {
      'DELETE /persons/per_1': problem(409, 'has_appointments'),
    })
    press('button', await until(() => (byRole('button', /解除绑定/), /解除绑定/)))
    await until(() => byRole('dialog', '要解除绑定“王秀英”吗？'))
    press('button', '确定解除')
    await until(() => expect(byRole('dialog').textContent).toContain('还有未就诊的预约'))
    world.on['DELETE /persons/per_1'] = new Status(204)
    world.on['GET /persons'] = { items: [], limit: 5 }
    press('button', '确定解除')
    await until(() => expect(document.body.textContent).toContain('还没有就诊人'))
  })
})

describe('a visit', () => {
  it('shows number, code and what became of the notices', async () => {
    world = await open('/appointments/apt_1', member)
    await until(() => byRole('img', '报到二维码，就诊序号 3'))
    expect(document.body.textContent).toContain('微信 · 已送达')
  })

  it('is cancelled after one question, and says that the place is given back', async () => {
    const cancelled = { ...visit, state: 'cancelled', can_cancel: false, can_move: false }
    world = await open('/appointments/apt_1', member, { 'POST /appointments/apt_1/cancel': cancelled })
    press('button', await until(() => (byRole('button', '取消预约'), '取消预约')))
    await until(() => byRole('dialog', '要取消这个预约吗？'))
    press('button', '确定取消')
    await until(() => expect(document.body.textContent).toContain('已取消，号已退回'))
    expect(allByRole('button', '取消预约')).toHaveLength(0)
    expect(world.asked('POST /appointments/apt_1/cancel')[0]?.headers.get('idempotency-key')).toBeTruthy()
  })

  it('that can’t be cancelled any more says so and what to do', async () => {
    world = await open('/appointments/apt_1', member, {
      'GET /appointments/apt_1': { ...visit, can_cancel: false, can_move: false },
    })
    await until(() => expect(document.body.textContent).toContain('如不能来，请打电话告诉我们'))
    expect(byRole('link', '0571-88001200').getAttribute('href')).toBe('tel:0571-88001200')
  })
})

describe('home and choices', () => {
  it('leads with the next visit and offers to book the same doctor again in one tap', async () => {
    world = await open('/', member)
    await until(() => byRole('heading', '下次就诊'))
    const again = byRole('link', /预约 11月26日 周四 08:00 李明/)
    expect(again.getAttribute('href')).toContain('person=per_1')
  })

  it('switches to elder mode at once and keeps it', async () => {
    world = await open('/')
    press('button', await until(() => (byRole('button', '长辈版'), '长辈版')))
    expect(document.documentElement.hasAttribute('data-elder')).toBe(true)
    expect(localStorage.getItem('xl.elder')).toBe('1')
    await until(() => byRole('link', /打电话/))
  })

  it('switches the language for the account too', async () => {
    world = await open('/me', member, { 'PATCH /account': new Status(200, { ...member, lang: 'en' }) })
    await until(() => byRole('radio', 'English'))
    choose(byRole('radio', 'English'))
    await until(() => byRole('heading', 'Me'))
    await until(() => expect(world?.asked('PATCH /account')[0]?.body).toEqual({ lang: 'en' }))
  })

  it('signs out', async () => {
    world = await open('/me', member, {
      'DELETE /session': () => {
        if (world) world.on['GET /session'] = guest
        return new Status(204)
      },
    })
    press('button', await until(() => (byRole('button', '退出登录'), '退出登录')))
    await until(() => expect(document.body.textContent).toContain('还没有登录'))
  })

  it('shows a kind page for an address that is none', async () => {
    world = await open('/nothing/here')
    await until(() => byRole('heading', '没有这个页面'))
    expect(byRole('link', '回首页').getAttribute('href')).toBe('/')
  })
})

/** The check digit that 11000019000101000 needs. */
function rightDigit(): string {
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
  const sum = weights.reduce(
    (total, weight, at) => total + weight * Number('11000019000101000'.charAt(at)),
    0,
  )
  return '10X98765432'.charAt(sum % 11)
}
