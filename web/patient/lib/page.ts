/** What every screen does: its title, and going back from it. */
import { pick } from '@shared/i18n/i18n'
import { nextTick, onMounted, watch, watchEffect } from 'vue'
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

/**
 * Runs something once what the person came for is shown (`ready`) and the browser has nothing better to do: what is fetched
 * ahead must not take the network from the first screen.
 */
export function whenIdle(ready: () => boolean, work: () => void): void {
  const idle = (): void => {
    if ('requestIdleCallback' in window) requestIdleCallback(work, { timeout: 4000 })
    else setTimeout(work, 1200)
  }
  onMounted(() => {
    const stop = watch(
      ready,
      (now) => {
        if (!now) return
        void nextTick(() => stop())
        // Behind the frame that shows it.
        requestAnimationFrame(() => setTimeout(idle))
      },
      { immediate: true, flush: 'post' },
    )
  })
}
