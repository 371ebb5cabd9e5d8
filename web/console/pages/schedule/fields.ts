/** What forms of clinics and templates share. */
export const KINDS = ['general', 'specialist', 'special'] as const
export const HALVES = ['am', 'pm', 'night'] as const
export const WEEKS = ['every', 'odd', 'even', 'counted'] as const
export const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7] as const

/** `30.5` yuan as fen, or nothing when it is no amount. */
export function fen(yuan: string): number | undefined {
  const found = /^(\d{1,6})(?:\.(\d{1,2}))?$/.exec(yuan.trim())
  if (!found) return undefined
  return Number(found[1]) * 100 + Number((found[2] ?? '').padEnd(2, '0') || 0)
}

/** Fen as `30.50`. */
export function yuan(amount: number): string {
  return `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')}`
}

/** A date of that weekday (1 Monday to 7 Sunday), to name it. */
export function dateOf(weekday: number): string {
  return `2026-11-${22 + weekday}`
}

/** A text in both languages, or nothing where both are empty. */
export function filled(text: { zh: string; en: string }): { zh: string; en: string } | null {
  const trimmed = { zh: text.zh.trim(), en: text.en.trim() }
  return trimmed.zh || trimmed.en ? trimmed : null
}
