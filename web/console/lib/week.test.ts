import { expect, test } from 'vitest'
import { cut, isDate, minutes, monday, sevenDays, weekdayOf } from './week'

test('a week begins on Monday', () => {
  expect(monday('2026-11-29')).toBe('2026-11-23')
  expect(monday('2026-11-23')).toBe('2026-11-23')
  expect(sevenDays('2026-12-28').at(-1)).toBe('2027-01-03')
  expect(weekdayOf('2026-11-29')).toBe(7)
  expect(isDate('2026-02-30x')).toBe(false)
})

test('segments are cut evenly, the last one shorter', () => {
  expect(cut('08:00', '09:10', 30, 4)).toEqual([
    { start: '08:00', end: '08:30', capacity: 4 },
    { start: '08:30', end: '09:00', capacity: 4 },
    { start: '09:00', end: '09:10', capacity: 4 },
  ])
  expect(cut('09:00', '08:00', 30, 4)).toEqual([])
  expect(cut('8', '09:00', 30, 4)).toEqual([])
  expect(minutes('24:00')).toBe(1440)
  expect(minutes('25:00')).toBeUndefined()
})
