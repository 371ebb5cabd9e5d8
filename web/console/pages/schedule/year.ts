/** A year of the working-day calendar, as it is changed by hand. */
import type { Answer, Body } from '../../lib/api'
import { weekdayOf } from '../../lib/week'

export type Day = Answer<'/api/v1/staff/calendar', 'get'>['items'][number]
export type Year = Body<'/api/v1/staff/calendar/{year}', 'put'>

/** What a click makes of a day: a working day is off or worked; a weekend is plain, off, or worked. */
export function turned(day: Day): Day {
  const weekend = weekdayOf(day.date) >= 6
  const kind =
    day.kind === 'workday'
      ? 'holiday'
      : day.kind === 'weekend'
        ? 'holiday'
        : day.kind === 'holiday' && weekend
          ? 'make_up'
          : weekend
            ? 'weekend'
            : 'workday'
  return {
    ...day,
    kind,
    statutory: day.statutory && kind === 'holiday',
    stands_for: kind === 'make_up' ? day.stands_for : null,
  }
}

/** The year in the form in which it is announced. */
export function yearOf(days: Day[]): Year {
  const dates = (kind: Day['kind']): string[] =>
    days.filter((one) => one.kind === kind).map((one) => one.date)
  const stands: Record<string, number> = {}
  for (const one of days) if (one.kind === 'make_up' && one.stands_for) stands[one.date] = one.stands_for
  return {
    days_off_by_notice: dates('holiday'),
    make_up_workdays: dates('make_up'),
    workdays_in_year: null,
    statutory: days.filter((one) => one.kind === 'holiday' && one.statutory).map((one) => one.date),
    stands_for: stands,
  }
}

/** Months of a year: the empty places before the first, then its days. */
export function months(days: Day[]): { month: number; before: number; days: Day[] }[] {
  const found = new Map<number, Day[]>()
  for (const one of days) {
    const month = Number(one.date.slice(5, 7))
    found.set(month, [...(found.get(month) ?? []), one])
  }
  return [...found].map(([month, list]) => ({
    month,
    before: weekdayOf(list[0]?.date ?? '2026-01-01') - 1,
    days: list,
  }))
}
