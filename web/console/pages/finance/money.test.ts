import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ApiError } from '../../lib/api'
import { en } from './en'
import { account, fenOf, outcome, period, told, who, yuan } from './money'
import { zh } from './words'

test('amounts are typed and shown to the fen, or are none', () => {
  for (const [typed, fen] of [
    ['30', 3000],
    ['30.5', 3050],
    [' 0.01 ', 1],
    ['99999999.99', 9_999_999_999],
  ] as const) {
    expect(fenOf(typed)).toBe(fen)
  }
  for (const typed of ['', '-1', '1.234', '1,000', '１', '1e3', '123456789', '1.']) {
    expect(fenOf(typed), typed).toBeUndefined()
  }
  expect([yuan(3050), yuan(-1), yuan(0), yuan(undefined)]).toEqual(['30.50', '-0.01', '0.00', ''])
})

test('every problem of billing has its words in both languages', () => {
  const source = readFileSync(join(import.meta.dirname, '../../../../crates/billing/src/problems.rs'), 'utf8')
  const codes = [
    ...[...source.matchAll(/conflict\(\s*"(\w+)"/g)].map((one) => one[1]),
    ...[...source.matchAll(/Kind::\w+,\s*"(\w+)"/g)].map((one) => one[1]),
  ]
  expect(codes.length).toBe([...source.matchAll(/pub\(crate\) fn /g)].length)
  for (const code of codes) {
    expect(Object.keys(zh), `zh: ${code}`).toContain(`err.${code}`)
    expect(Object.keys(en), `en: ${code}`).toContain(`err.${code}`)
  }
  const problem = told(new ApiError({ status: 409, code: 'no_shift', detail: 'x' }))
  expect(problem?.problem.detail).toBe(zh['err.no_shift'])
  const other = new ApiError({ status: 500, code: 'internal' })
  expect(told(other)).toBe(other)
})

test('who is behind a row', () => {
  expect([who('system'), who('acc_1'), who(undefined)]).toEqual([zh['who.system'], zh['who.patient'], '—'])
  expect([who('PUB_KEY_ID_01'), who('bill:abc')]).toEqual([zh['who.platform'], zh['who.platform']])
  expect(who('stf_1')).toBe('stf_1')
})

test('accounts of the ledger in words', () => {
  expect(account('clearing:wechatpay:1900000001')).toBe(zh['channel.wechatpay'])
  expect(account('clearing:insurance:gov')).toBe(zh['channel.insurance_gov'])
  expect(account('obligation:chg_1')).toBe(zh['account.obligation'])
  expect(account('cash-desk:sft_1')).toBe(zh['account.desk'])
  expect(account('something:new')).toBe('something:new')
})

test('what came of an observation is said in words, as far as it has some', () => {
  expect(outcome('paid, and the service given')).toBe(zh['outcome.paid_and_the_service_given'])
  expect(outcome('the payer’s account can’t take it')).toBe(outcome("the payer's account can't take it"))
  expect([outcome('something new'), outcome(undefined)]).toEqual(['something new', ''])
})

test('the days of a list: today, or some days back', () => {
  expect(period('', '', '2026-11-30')).toEqual({ from: '2026-11-30', to: '2026-11-30' })
  expect(period('', '', '2026-11-30', 14)).toEqual({ from: '2026-11-16', to: '2026-11-30' })
  expect(period('2026-11-01', '', '2026-11-30')).toEqual({ from: '2026-11-01', to: '2026-11-30' })
  expect(period('', '2026-11-02', '2026-11-30')).toEqual({ from: '2026-11-02', to: '2026-11-02' })
})
