/** Who this screen is: paired with the hospital or not yet, and what it is to show. */
import { ApiError } from '@shared/api'
import type { paths } from '@shared/openapi'
import { ref, shallowRef } from 'vue'
import { ask, keepCsrf } from './ask'

type Json<R> = R extends { content: { 'application/json': infer J } } ? J : never
type Own = Json<paths['/api/v1/device']['get']['responses'][200]>
type Asked = Json<paths['/api/v1/devices/pairings']['post']['responses'][201]>
type State = Json<paths['/api/v1/devices/pairings/{id}/claim']['post']['responses'][200]>

/** How often a paired device asks what it is to show, ms. */
export const LOOK_MS = 10_000
/** How often one that is not asks whether somebody has typed its code, ms. */
export const CLAIM_MS = 2_000

export const device = shallowRef<Own['device']>()
/** The code to be typed in the console while nobody has. */
export const code = ref('')

let asked: (Asked & { until: number }) | undefined

async function look(): Promise<boolean> {
  try {
    const own = await ask<Own>('GET', '/device')
    keepCsrf(own.csrf)
    device.value = own.device
    return true
  } catch (failure) {
    // Removed in the console, or somebody else has signed in with this browser. While the server is away nothing changes.
    if (failure instanceof ApiError && [401, 403, 404].includes(failure.status)) device.value = undefined
    return false
  }
}

async function pair(): Promise<void> {
  if (!asked || Date.now() > asked.until) {
    const fresh = await ask<Asked>('POST', '/devices/pairings')
    asked = { ...fresh, until: Date.now() + fresh.expires_in_s * 1000 - 5_000 }
    code.value = fresh.code
    return
  }
  try {
    const state = await ask<State>('POST', `/devices/pairings/${asked.id}/claim`, { secret: asked.secret })
    if (!state.paired) return
    asked = undefined
    code.value = ''
    await look()
  } catch (failure) {
    if (failure instanceof ApiError && failure.status === 410) asked = undefined
  }
}

/** Keeps `device` true for as long as the page lives. */
export function startDevice(): void {
  const turn = async (): Promise<void> => {
    let wait = LOOK_MS
    if (!(await look()) && !device.value) {
      await pair().catch(() => undefined)
      wait = CLAIM_MS
    }
    setTimeout(() => void turn(), wait)
  }
  void turn()
}
