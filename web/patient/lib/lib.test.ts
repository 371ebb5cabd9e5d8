import { describe, expect, it } from 'vitest'
import { inWeChat } from '@shared/agent'
import { clinic } from '../test/world'
import { byDay, confirmQuery, firstFree } from './clinics'
import { phoneOf } from './codes'
import { fit } from './fit'
import { residentFault, tidyNumber } from './ids'
import { safePath } from './session'

describe('phone numbers', () => {
  it('are taken as people type them', () => {
    for (const typed of [
      '13800000001',
      '138 0000 0001',
      '+86 138-0000-0001',
      '0086 13800000001',
      '１３８００００００01',
    ]) {
      expect(phoneOf(typed)).toBe('13800000001')
    }
    for (const typed of ['', '1380000000', '12800000001', '138000000012', '8613800000001x']) {
      expect(phoneOf(typed)).toBeUndefined()
    }
  })
})

describe('resident numbers', () => {
  // Invented: prefixes that no card carries.
  it.each([
    ['110000190001010009', 'checksum'],
    ['11000019000101000', 'length'],
    ['11000019000231000X', 'birth_date'],
    ['1100001900010100AX', 'format'],
  ])('%s: %s', (number, fault) => {
    expect(residentFault(number)).toBe(fault)
  })

  it('come out right whatever keyboard typed them', () => {
    expect(tidyNumber(' １１0000 1900-0101 000x ')).toBe('11000019000101000X')
  })

  it('with the right check digit pass', () => {
    const digits = '0123456789X'
    const right = [...digits].filter((last) => residentFault(`11000019000101000${last}`) === undefined)
    expect(right).toHaveLength(1)
  })
})

describe('paths to come back to', () => {
  it('are ours only', () => {
    expect(safePath('/confirm?slot=1')).toBe('/confirm?slot=1')
    for (const foreign of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      '',
      undefined,
      ['/a'],
    ]) {
      expect(safePath(foreign)).toBe('/')
    }
  })
})

describe('clinics', () => {
  const early = clinic({ id: 'cli_0', date: '2026-11-24', state: 'full', slots: [] })
  const late = clinic({ id: 'cli_2', date: '2026-11-30' })

  it('stand in the order of time', () => {
    expect(byDay([late, clinic(), early]).map((day) => day.date)).toEqual([
      '2026-11-24',
      '2026-11-26',
      '2026-11-30',
    ])
  })

  it('offer the first free slots, leaving out full ones', () => {
    expect(firstFree([late, clinic(), early], 3).map(({ clinic: c, slot }) => c.id + slot.id)).toEqual([
      'cli_1slt_1',
      'cli_1slt_2',
      'cli_2slt_1',
    ])
  })

  it('make an address that holds the whole choice', () => {
    expect(confirmQuery({ doctor: 'doc_1', department: 'dep_2', date: 'd', slot: 's' })).toEqual({
      doctor: 'doc_1',
      date: 'd',
      slot: 's',
    })
    expect(confirmQuery({ department: 'dep_2', date: 'd', slot: 's', move: 'apt_1' })).toEqual({
      department: 'dep_2',
      date: 'd',
      slot: 's',
      move: 'apt_1',
    })
  })
})

describe('the browser', () => {
  it('is WeChat or is not', () => {
    expect(inWeChat('Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50')).toBe(true)
    expect(inWeChat('Mozilla/5.0 MicroMessenger/7.0 wxwork/4.1')).toBe(false)
    expect(inWeChat('Mozilla/5.0 (X11; Linux x86_64) Chrome/120')).toBe(false)
  })

  it('is tight when few characters fit into a line', () => {
    const root = document.documentElement
    root.style.fontSize = '200px'
    fit(root)
    expect(root.hasAttribute('data-tight')).toBe(true)
    root.style.fontSize = ''
    fit(root)
    expect(root.hasAttribute('data-tight')).toBe(false)
  })
})
