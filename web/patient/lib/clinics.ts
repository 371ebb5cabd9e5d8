/** Words and choices about clinics, days and slots that several screens share. */
import type { Clinic, DayState, NextFree, Slot } from '@shared/api'
import { capital, day, dayTime, half, nearDay, shortDate, tightDay, weekday } from '@shared/format'
import { pick } from '@shared/i18n/i18n'
import { lookCore, t } from '../i18n/core'
import { today } from './session'

/** Below this a remaining number is shown as low. */
export const LOW = 6

/** `余 8`, `约满`, `停诊` … */
export function left(state: Clinic['state'] | DayState['state'] | Slot['state'], remaining: number): string {
  if (state === 'open') return remaining > 0 ? t('left.n', { n: remaining }) : t('left.full')
  return t(`left.${state}`)
}

/** `今天 08:30` of the next free slot. */
export function nextWhen(next: NextFree): string {
  return dayTime(next.date, next.start, today.value)
}

/** `明天` or `11月23日 周一`. */
export function dayName(date: string): string {
  return nearDay(date, today.value) ?? day(date)
}

/** `明天` or `周四 11/26`. */
export function chipDay(date: string): string {
  return capital(nearDay(date, today.value) ?? tightDay(date))
}

/** A day for the strip: `周一` over `11月23日` (or 今天), and what is left. */
export function stripDay(state: DayState): {
  date: string
  top: string
  bottom: string
  state: string
  low: boolean
  off: boolean
} {
  return {
    date: state.date,
    top: capital(nearDay(state.date, today.value) ?? weekday(state.date)),
    bottom: shortDate(state.date),
    state: left(state.state, state.remaining),
    low: state.state === 'open' && state.remaining < LOW,
    off: state.state !== 'open' || state.remaining === 0,
  }
}

/** `专家门诊`. */
export const kindName = (kind: string): string => lookCore(`kind.${kind}`) ?? ''

/** `上午 · 专家门诊 · 东院` */
export function groupName(clinic: Clinic): string {
  return t('slot.group', {
    half: capital(half(clinic.half_day)),
    kind: kindName(clinic.kind),
    campus: pick(clinic.campus_name),
  })
}

/** The clinics day by day, in time order. */
export function byDay(clinics: readonly Clinic[]): { date: string; clinics: Clinic[] }[] {
  const days = new Map<string, Clinic[]>()
  for (const clinic of [...clinics].sort((a, b) => order(a).localeCompare(order(b)))) {
    const list = days.get(clinic.date)
    if (list) list.push(clinic)
    else days.set(clinic.date, [clinic])
  }
  return [...days].map(([date, list]) => ({ date, clinics: list }))
}

function order(clinic: Clinic): string {
  return clinic.date + (clinic.slots[0]?.start ?? { am: '08', pm: '13', night: '18' }[clinic.half_day])
}

/** The first slot that can be had, and up to `count` more, in time order. */
export function firstFree(clinics: readonly Clinic[], count: number): { clinic: Clinic; slot: Slot }[] {
  const found: { clinic: Clinic; slot: Slot }[] = []
  for (const { clinics: list } of byDay(clinics)) {
    for (const clinic of list) {
      if (clinic.state !== 'open') continue
      for (const slot of clinic.slots) {
        if (slot.state === 'open' && slot.remaining > 0) found.push({ clinic, slot })
        if (found.length >= count) return found
      }
    }
  }
  return found
}

/** The address of the confirm page for one slot. What it needs to show is in it, so it survives sign-in and reload. */
export function confirmQuery(choice: {
  doctor?: string | null | undefined
  department: string
  date: string
  slot: string
  person?: string | undefined
  move?: string | undefined
}): Record<string, string> {
  const query: Record<string, string> = { slot: choice.slot, date: choice.date }
  if (choice.doctor) query.doctor = choice.doctor
  else query.department = choice.department
  if (choice.person) query.person = choice.person
  if (choice.move) query.move = choice.move
  return query
}
