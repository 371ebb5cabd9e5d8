/** Parts that come later, and fetching them ahead: what a screen does not need at once must not stand in its way. */
import { wordsReady } from '@shared/i18n/i18n'
import { ref } from 'vue'
import { later } from './later'
import { whenIdle } from './page'

/** A screen that comes later, with its words in the page's language. */
export function late<T>(load: () => Promise<T>): () => Promise<T> {
  return async () => {
    const screen = await load()
    await wordsReady()
    return screen
  }
}

/** The screens on the way to a booking. */
export const wayToBooking = [
  late(() => import('../screens/Doctors.vue')),
  late(() => import('../screens/Doctor.vue')),
  late(() => import('../screens/Confirm.vue')),
  late(() => import('../screens/Done.vue')),
] as const
const slotSheet = () => import('../parts/SlotSheet.vue')

/** Fetches what comes on the way to a booking, once what the person came for is shown. */
export function useAhead(shown: () => boolean): void {
  whenIdle(shown, () => {
    for (const part of [...wayToBooking, slotSheet]) void part().catch(() => undefined)
  })
}

/** The sheet of a day's times: fetched when it is to be opened, else once the screen below it is shown. */
export function useSlotSheet(open: () => boolean, shown: () => boolean) {
  const idle = ref(false)
  whenIdle(shown, () => (idle.value = true))
  return later(slotSheet, () => idle.value || open())
}
