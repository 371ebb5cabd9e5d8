import { expect, test } from 'vitest'
import { months, turned, yearOf, type Day } from './year'

const day = (date: string, kind: Day['kind'], more: Partial<Day> = {}): Day => ({
  date,
  kind,
  statutory: false,
  known: true,
  stands_for: null,
  ...more,
})

test('a click leads round through what a day can be', () => {
  const kinds = (date: string, kind: Day['kind'], clicks: number): Day['kind'][] => {
    const seen: Day['kind'][] = []
    let one = day(date, kind)
    for (let n = 0; n < clicks; n += 1) {
      one = turned(one)
      seen.push(one.kind)
    }
    return seen
  }
  expect(kinds('2026-11-27', 'workday', 2)).toEqual(['holiday', 'workday'])
  expect(kinds('2026-11-28', 'weekend', 3)).toEqual(['holiday', 'make_up', 'weekend'])
})

test('what is not off is not statutory either', () => {
  expect(turned(day('2026-10-01', 'holiday', { statutory: true })).statutory).toBe(false)
})

test('the year is written as it is announced', () => {
  const days = [
    day('2026-10-01', 'holiday', { statutory: true }),
    day('2026-10-05', 'holiday'),
    day('2026-10-10', 'make_up', { stands_for: 3 }),
    day('2026-10-11', 'weekend'),
  ]
  expect(yearOf(days)).toEqual({
    days_off_by_notice: ['2026-10-01', '2026-10-05'],
    make_up_workdays: ['2026-10-10'],
    workdays_in_year: null,
    statutory: ['2026-10-01'],
    stands_for: { '2026-10-10': 3 },
  })
  expect(months(days)[0]).toMatchObject({ month: 10, before: 3 })
})
