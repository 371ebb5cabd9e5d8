import { afterEach, describe, expect, it } from 'vitest'
import {
  addDays,
  atHospital,
  clock,
  day,
  dayHalf,
  dayTime,
  daysBetween,
  maskNumber,
  maskPhone,
  moment,
  money,
  shortDate,
} from './format'
import { lang } from './i18n/i18n'

afterEach(() => {
  lang.value = 'zh'
})

describe('dates', () => {
  it('read in Chinese and in English', () => {
    expect(dayHalf('2026-11-23', 'am')).toBe('11月23日 周一 上午')
    expect(shortDate('2027-01-02', '2026')).toBe('2027年1月2日')
    lang.value = 'en'
    expect(dayHalf('2026-11-23', 'am')).toBe('Mon 23 Nov, morning')
    expect(day('2026-11-23')).toBe('Mon 23 Nov')
    expect(shortDate('2027-01-02', '2026')).toBe('2 Jan 2027')
  })

  it('say today and tomorrow', () => {
    expect(dayTime('2026-11-23', '08:30', '2026-11-23')).toBe('今天 08:30')
    expect(dayTime('2026-11-24', '08:30', '2026-11-23')).toBe('明天 08:30')
    expect(dayTime('2026-11-25', '08:30', '2026-11-23')).toBe('11月25日 周三 08:30')
  })

  it('count across months and leap days', () => {
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29')
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01')
    expect(daysBetween('2026-11-23', '2026-12-01')).toBe(8)
  })
})

describe('instants', () => {
  it('follow the hospital’s clock wherever the phone is', () => {
    // The tests run as if the phone were in New York.
    expect(new Date('2026-11-23T00:00:00Z').getHours()).toBe(19)
    expect(atHospital('2026-11-22T23:30:00Z')).toEqual({ date: '2026-11-23', time: '07:30' })
    expect(atHospital('2026-11-23T07:30:00+08:00')).toEqual({ date: '2026-11-23', time: '07:30' })
    expect(moment('2026-11-23T17:00:00+08:00', '2026-11-23')).toBe('今天 17:00')
    expect(moment('2026-11-25T17:00:00+08:00', '2026-11-23')).toBe('11月25日 周三 17:00')
  })
})

describe('amounts, clocks and masks', () => {
  it('write money from fen without rounding', () => {
    expect(money(3000)).toBe('¥30.00')
    expect(money(5)).toBe('¥0.05')
    expect(money(-1)).toBe('-¥0.01')
  })

  it('count down', () => {
    expect(clock(61_000)).toBe('01:01')
    expect(clock(3_661_000)).toBe('1:01:01')
    expect(clock(-5)).toBe('00:00')
  })

  it('hide the middle of numbers', () => {
    expect(maskNumber('330102199001011234')).toBe('3301**********1234')
    expect(maskNumber('H1234567')).toBe('H******7')
    expect(maskPhone('13812345678')).toBe('138****5678')
  })
})
