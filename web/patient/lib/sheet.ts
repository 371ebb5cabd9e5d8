/** A sheet that the page's address opens: `?name=value`. Back closes it, a reload or a shared link shows it again. */
import { computed } from 'vue'
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router'

export function useRoutedSheet(name: string) {
  const route = useRoute()
  const router = useRouter()
  const value = computed(() => {
    const raw = route.query[name]
    return typeof raw === 'string' ? raw : ''
  })

  const without = (): LocationQueryRaw => {
    const query = { ...route.query }
    delete query[name]
    return query
  }

  /** Opens the sheet, or shows something else in the open one. */
  async function open(what: string): Promise<void> {
    const query = { ...route.query, [name]: what }
    if (value.value) await router.replace({ query })
    else await router.push({ query })
  }

  /** Closes it; `query` then becomes the address's query, where given. */
  async function close(query?: LocationQueryRaw): Promise<void> {
    if (!value.value) return
    const below = router.resolve({ query: without() }).fullPath
    if (router.options.history.state.back === below) {
      await new Promise<void>((arrived) => {
        const stop = router.afterEach(() => {
          stop()
          arrived()
        })
        router.back()
      })
    } else await router.replace({ query: without() })
    if (query) await router.replace({ query })
  }

  return { value, open, close }
}
