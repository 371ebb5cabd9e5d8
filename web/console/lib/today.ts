/** The hospital's date now. The demonstration's clock runs with the server's, so the last answer's date is taken where there is one. */
import { atHospital } from '@shared/format'

/** How far the server's clock is ahead of this machine's, ms. */
let ahead = 0

/** Takes the time that an answer came with. */
export function heard(date: string | null): void {
  const at = date ? Date.parse(date) : Number.NaN
  if (!Number.isNaN(at)) ahead = at - Date.now()
}

/** Date and time at the hospital, `2026-11-30` and `08:05`. */
export function hospitalNow(): { date: string; time: string } {
  return atHospital(new Date(Date.now() + ahead).toISOString())
}

export function today(): string {
  return hospitalNow().date
}
