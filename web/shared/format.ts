/**
 * Dates, times and amounts as people read them. Always the hospital's clock (Asia/Shanghai, UTC+8 all year), never the
 * phone's. Dates are `YYYY-MM-DD`, instants RFC 3339. Everything follows the page's language.
 */
import { fill, lang } from './i18n/i18n'
import { words } from './i18n/words'

const DAY_MS = 86_400_000
const ZONE_MS = 8 * 3_600_000

const utc = (date: string): Date => new Date(`${date}T00:00:00Z`)
const pad = (n: number): string => String(n).padStart(2, '0')

/** The date some days later (or earlier, when negative). */
export function addDays(date: string, days: number): string {
  return new Date(utc(date).getTime() + days * DAY_MS).toISOString().slice(0, 10)
}

/** How many days from one date to another. */
export function daysBetween(from: string, to: string): number {
  return Math.round((utc(to).getTime() - utc(from).getTime()) / DAY_MS)
}

/** `11月23日` / `23 Nov`; with the year where it is not `year`. */
export function shortDate(date: string, year?: string): string {
  const w = words[lang.value]
  const d = utc(date)
  const text = fill(w.date, {
    m: d.getUTCMonth() + 1,
    d: d.getUTCDate(),
    month: w.months[d.getUTCMonth()] ?? '',
  })
  if (!year || date.startsWith(year)) return text
  const y = fill(w.year, { y: d.getUTCFullYear() })
  return lang.value === 'zh' ? y + text : text + y
}

/** `周一` / `Mon`. */
export function weekday(date: string): string {
  return words[lang.value].weekdays[utc(date).getUTCDay()] ?? ''
}

/** `11月23日 周一` / `Mon 23 Nov`. */
export function day(date: string, year?: string): string {
  return fill(words[lang.value].day, { date: shortDate(date, year), weekday: weekday(date) })
}

/** `周一 11/23` / `Mon 23 Nov`: where there is little room. */
export function tightDay(date: string): string {
  const [, m, d] = date.split('-').map(Number)
  return fill(words[lang.value].tight, {
    weekday: weekday(date),
    date: shortDate(date),
    m: m ?? 0,
    d: d ?? 0,
  })
}

/** `上午` / `morning`. */
export function half(part: string): string {
  const halves: Readonly<Record<string, string>> = words[lang.value].halves
  return halves[part] ?? ''
}

/** `11月23日 周一 上午` / `Mon 23 Nov, morning`. */
export function dayHalf(date: string, part: string): string {
  return fill(words[lang.value].join, { a: day(date), b: half(part) })
}

/** `今天`, `明天` or nothing; `today` is the hospital's date as the server tells it. */
export function nearDay(date: string, today: string): string | undefined {
  const w = words[lang.value]
  const days = daysBetween(today, date)
  return days === 0 ? w.today : days === 1 ? w.tomorrow : undefined
}

/** `今天 08:30` / `today, 08:30`, or with the date when it is further off. */
export function dayTime(date: string, time: string, today: string): string {
  return fill(words[lang.value].join, { a: nearDay(date, today) ?? day(date), b: time })
}

/** `08:30–09:00`, never broken across lines (word joiners around the dash). */
export function timeRange(start: string, end: string): string {
  return `${start}\u2060–\u2060${end}`
}

/** The same text with a capital at its beginning, where it stands alone (`today` → `Today`). */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** An instant on the hospital's clock: its date and its time. */
export function atHospital(instant: string): { date: string; time: string } {
  const local = new Date(Date.parse(instant) + ZONE_MS)
  return {
    date: local.toISOString().slice(0, 10),
    time: `${pad(local.getUTCHours())}:${pad(local.getUTCMinutes())}`,
  }
}

/** `11月23日 周一 17:00` / `Mon 23 Nov, 17:00`; `今天 17:00` / `today, 17:00` where `today` is given and fits. */
export function moment(instant: string, today?: string): string {
  const { date, time } = atHospital(instant)
  const a = (today && nearDay(date, today)) ?? day(date, today?.slice(0, 4))
  return fill(words[lang.value].join, { a, b: time })
}

/** `¥30.00` from fen. */
export function money(fen: number): string {
  const sign = fen < 0 ? '-' : ''
  const abs = Math.abs(fen)
  return `${sign}¥${Math.floor(abs / 100)}.${pad(abs % 100)}`
}

/** A waiting time as a clock: `1:02:03`, `02:03`. Never negative. */
export function clock(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000))
  const hours = Math.floor(s / 3600)
  const rest = `${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`
  return hours ? `${hours}:${rest}` : rest
}

/** `3301**********1234`: the first and last four characters of a number, for showing it back. */
export function maskNumber(text: string): string {
  if (text.length <= 8) return text.slice(0, 1) + '*'.repeat(Math.max(0, text.length - 2)) + text.slice(-1)
  return text.slice(0, 4) + '*'.repeat(text.length - 8) + text.slice(-4)
}

/** `138****5678`. */
export function maskPhone(phone: string): string {
  return phone.length < 8 ? phone : `${phone.slice(0, 3)}****${phone.slice(-4)}`
}
