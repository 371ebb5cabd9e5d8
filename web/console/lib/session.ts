/** Who is signed in, what they may do, and where we are. */
import type { Hospital } from '@shared/api'
import { keep, setLang, type Lang } from '@shared/i18n/i18n'
import { computed, shallowRef } from 'vue'
import { call, keepCsrf, type Answer } from './api'

export type StaffSession = Answer<'/api/v1/staff/session', 'get'>
export type Me = NonNullable<StaffSession['me']>
export type Role = Me['roles'][number]

export const session = shallowRef<StaffSession>()
export const hospital = shallowRef<Hospital>()
export const me = computed(() => session.value?.me ?? undefined)

/** Takes a fresh session over: changing requests carry its token from now on. */
export function takeSession(fresh: StaffSession): void {
  keepCsrf(fresh.csrf)
  session.value = fresh
}

export async function loadSession(): Promise<void> {
  takeSession(await call('get', '/api/v1/staff/session'))
}

export async function loadHospital(): Promise<void> {
  hospital.value = await call('get', '/api/v1/hospital')
}

/** Whether whoever is signed in holds a permission. Without a name: whether anybody is signed in. */
export function may(permission?: string): boolean {
  if (!me.value) return false
  return permission === undefined || me.value.permissions.includes(permission)
}

export async function signOut(): Promise<void> {
  await call('delete', '/api/v1/staff/session')
  session.value = undefined
  await loadSession()
}

export async function chooseLang(wanted: Lang): Promise<void> {
  await setLang(wanted)
  keep('xl.lang', wanted)
}
