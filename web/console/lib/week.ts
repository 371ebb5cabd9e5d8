/** Days of a week as the schedule shows them: Monday first. */
import { addDays } from '@shared/format'

/** 1 Monday to 7 Sunday. */
export function weekdayOf(date: string): number {
  const day = new Date(`${date}T00:00:00Z`).getUTCDay()
  return day === 0 ? 7 : day
}

/** The Monday of a date's week. */
export function monday(date: string): string {
  return addDays(date, 1 - weekdayOf(date))
}

/** The seven days from a date on. */
export function sevenDays(from: string): string[] {
  return [0, 1, 2, 3, 4, 5, 6].map((n) => addDays(from, n))
}

/** Whether a text is a date as the address has it. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`))
}

/** `08:00` as minutes, or nothing. */
export function minutes(wall: string): number | undefined {
  const found = /^([01]?\d|2[0-4]):([0-5]\d)$/.exec(wall.trim())
  return found ? Number(found[1]) * 60 + Number(found[2]) : undefined
}

const wall = (at: number): string =>
  `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`

export interface Segment {
  start: string
  end: string
  capacity: number
}

/** Segments of so many minutes from one time to another, the last one shorter where it does not come out even. */
export function cut(from: string, until: string, every: number, capacity: number): Segment[] {
  const [first, last] = [minutes(from), minutes(until)]
  if (first === undefined || last === undefined || every < 1) return []
  const found: Segment[] = []
  for (let at = first; at < last; at += every) {
    found.push({ start: wall(at), end: wall(Math.min(last, at + every)), capacity })
  }
  return found
}
