/** The in-app browser: one page at a time, over everything else on the phone. */
import { ref } from 'vue'
import { keep, read } from '@shared/i18n/i18n'
import { opened } from './host'

export interface Page {
  /** Counts openings, so that the same address opens anew. */
  n: number
  url: string
}

/** The open page. */
export const page = ref<Page>()
let count = 0

/** Opens a link as this phone does; says whether it can. */
export function open(link: string, productBase: string): boolean {
  const url = opened(link, productBase, location.hostname)
  if (!url) return false
  count += 1
  // An entry of our own: what the page navigates comes after it, and going back past it closes the page.
  history.pushState({ page: count }, '')
  page.value = { n: count, url }
  return true
}

/** Closes the page. */
export function shut(): void {
  page.value = undefined
}

window.addEventListener('popstate', (event) => {
  const state = event.state as { page?: number } | null
  if (page.value && state?.page !== page.value.n) shut()
})

/** Text size in percent, for the phone and the pages in it. */
export const size = ref(Number(read('xl.sim.size')) || 100)

export function setSize(percent: number): void {
  size.value = Math.min(200, Math.max(100, percent))
  keep('xl.sim.size', String(size.value))
  document.documentElement.style.fontSize = `${size.value}%`
}

/** Whether the phone says that it stands in front of the hospital (Hangzhou) or far away (Beijing). */
export const near = ref(read('xl.sim.far') === null)

export function setNear(yes: boolean): void {
  near.value = yes
  keep('xl.sim.far', yes ? null : '1')
}

export const location2d = (): { latitude: number; longitude: number } =>
  near.value ? { latitude: 30.2741, longitude: 120.1551 } : { latitude: 39.9042, longitude: 116.4074 }
