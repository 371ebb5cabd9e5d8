/** What every screen does: its title, and going back from it. */
import { pick } from '@shared/i18n/i18n'
import { onMounted, watchEffect } from 'vue'
import { useRouter } from 'vue-router'
import { hospital } from './session'

/** The native title bar of WeChat shows this. */
export function useTitle(title: () => string | undefined): void {
  watchEffect(() => {
    const name = hospital.value ? pick(hospital.value.short_name) : ''
    document.title = [title(), name].filter(Boolean).join(' · ')
  })
}

/** Back to where one came from inside the app; from an entry page to `home`, since behind it is WeChat. */
export function useBack(home = '/'): () => void {
  const router = useRouter()
  return () => {
    if (router.options.history.state.back) router.back()
    else void router.replace(home)
  }
}

/** Runs something when the component is there and the browser has nothing better to do. */
export function whenIdle(work: () => void): void {
  onMounted(() => {
    if ('requestIdleCallback' in window) requestIdleCallback(work, { timeout: 4000 })
    else setTimeout(work, 1200)
  })
}
