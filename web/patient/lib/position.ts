/** Where the phone is, with how sure it is; and shaking it, where it tells of that. */
import { ApiError } from '@shared/api'
import { locate } from '@shared/wechat'
import { onBeforeUnmount, ref, type Ref } from 'vue'

export interface Position {
  latitude: number
  longitude: number
  /** The radius in which the phone is in two of three cases, m, as the phone itself says. */
  accuracy_m: number
}

const PATIENCE_MS = 12_000

/** Asks the phone, through WeChat where we are in it. Fails with `position_denied` or `position_none`. */
export async function position(sdkUrl: string | null | undefined): Promise<Position> {
  const told = await locate(sdkUrl)
  if (told) return told
  return new Promise((resolve, reject) => {
    const fail = (code: string): void => reject(new ApiError({ status: 0, code }))
    if (!('geolocation' in navigator)) return fail('position_none')
    navigator.geolocation.getCurrentPosition(
      ({ coords }) =>
        resolve({
          latitude: coords.latitude,
          longitude: coords.longitude,
          accuracy_m: Math.ceil(coords.accuracy),
        }),
      (failure) => fail(failure.code === failure.PERMISSION_DENIED ? 'position_denied' : 'position_none'),
      { enableHighAccuracy: true, timeout: PATIENCE_MS, maximumAge: 0 },
    )
  })
}

/** A jolt of so much beyond rest, m/s², and so many of them within a second: not what walking does. */
const JOLT = 18
const JOLTS = 3

/** Counts jolts; says when a phone is being shaken. */
export class Shaking {
  private jolts: number[] = []

  /** Takes the acceleration along the three axes (m/s², gravity included) at `at` (ms). */
  feel(x: number, y: number, z: number, at: number): boolean {
    if (Math.hypot(x, y, z) < JOLT) return false
    // One jolt is felt several times.
    if (at - (this.jolts.at(-1) ?? -Infinity) > 80) this.jolts.push(at)
    this.jolts = this.jolts.filter((one) => at - one < 1_000)
    if (this.jolts.length < JOLTS) return false
    this.jolts = []
    return true
  }
}

interface AskFirst {
  requestPermission?: () => Promise<'granted' | 'denied'>
}

/** Shaking the phone as a way to press a button. `possible`: the phone tells of movements; `start` asks where that is needed. */
export function useShake(shaken: () => void): {
  possible: boolean
  on: Ref<boolean>
  start: () => Promise<void>
} {
  const on = ref(false)
  const possible = typeof DeviceMotionEvent !== 'undefined' && navigator.maxTouchPoints > 0
  const shaking = new Shaking()
  const moved = (event: DeviceMotionEvent): void => {
    const { x, y, z } = event.accelerationIncludingGravity ?? {}
    if (shaking.feel(x ?? 0, y ?? 0, z ?? 0, event.timeStamp)) shaken()
  }
  onBeforeUnmount(() => removeEventListener('devicemotion', moved))
  return {
    possible,
    on,
    async start() {
      const { requestPermission } = DeviceMotionEvent as unknown as AskFirst
      const allowed = requestPermission ? await requestPermission().catch(() => 'denied') : 'granted'
      if (allowed !== 'granted') return
      addEventListener('devicemotion', moved)
      on.value = true
    },
  }
}
