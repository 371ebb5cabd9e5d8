/**
 * Data of a screen: kept in memory, so that going back shows it at once; asked for again when the page comes back to the
 * front (WeChat freezes hidden pages and shows old ones), when the network returns, and at an interval where wanted.
 */
import { ApiError } from '@shared/api'
import { onBeforeUnmount, onMounted, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'

interface Kept {
  data: unknown
  at: number
}

const kept = new Map<string, Kept>()

/** After this long the page says that the network is slow. */
export const SLOW_MS = 8_000
/** Coming back to the page sooner than this asks for nothing. */
const FRESH_MS = 2_000

export interface Resource<T> {
  data: ShallowRef<T | undefined>
  error: ShallowRef<ApiError | undefined>
  loading: Ref<boolean>
  slow: Ref<boolean>
  /** When the data came, ms since the epoch; for "this is from …". */
  at: Ref<number>
  reload: () => Promise<void>
  /** Puts data in that came by another way (a live stream, an answer). */
  put: (data: T) => void
}

/** Forgets what was kept, for example when the person signs out; `start` limits it to keys that begin so. */
export function forget(start = ''): void {
  for (const key of [...kept.keys()]) if (key.startsWith(start)) kept.delete(key)
}

/**
 * The data that `load` brings. `key` names it; while it is `undefined` nothing is asked for. A new key shows what is kept
 * under it, or nothing.
 */
export function useResource<T>(
  key: () => string | undefined,
  load: () => Promise<T>,
  options: { every?: number } = {},
): Resource<T> {
  const data: ShallowRef<T | undefined> = shallowRef()
  const error = shallowRef<ApiError>()
  const loading = ref(false)
  const slow = ref(false)
  const at = ref(0)
  let turn = 0

  function put(fresh: T): void {
    const name = key()
    data.value = fresh
    error.value = undefined
    at.value = Date.now()
    if (name !== undefined) kept.set(name, { data: fresh, at: at.value })
  }

  async function reload(): Promise<void> {
    const name = key()
    if (name === undefined) return
    const mine = ++turn
    loading.value = true
    slow.value = false
    const timer = setTimeout(() => {
      if (mine === turn) slow.value = true
    }, SLOW_MS)
    try {
      const fresh = await load()
      // An answer to an older question must not replace a newer one.
      if (mine === turn && name === key()) put(fresh)
    } catch (failure) {
      // A fault of ours must not hide behind "try again".
      if (!(failure instanceof ApiError)) setTimeout(() => Promise.reject(failure))
      if (mine !== turn) return
      error.value = failure instanceof ApiError ? failure : new ApiError({ status: 0, code: 'bad_answer' })
    } finally {
      clearTimeout(timer)
      if (mine === turn) {
        loading.value = false
        slow.value = false
      }
    }
  }

  watch(
    key,
    (name) => {
      const old = name === undefined ? undefined : kept.get(name)
      data.value = old?.data as T | undefined
      at.value = old?.at ?? 0
      error.value = undefined
      void reload()
    },
    { immediate: true },
  )

  const refresh = (): void => {
    if (!document.hidden && Date.now() - at.value > FRESH_MS) void reload()
  }
  const shown = (event: PageTransitionEvent): void => {
    if (event.persisted) void reload()
  }
  let interval: ReturnType<typeof setInterval> | undefined
  onMounted(() => {
    document.addEventListener('visibilitychange', refresh)
    addEventListener('pageshow', shown)
    addEventListener('online', refresh)
    if (options.every) interval = setInterval(refresh, options.every)
  })
  onBeforeUnmount(() => {
    turn += 1
    document.removeEventListener('visibilitychange', refresh)
    removeEventListener('pageshow', shown)
    removeEventListener('online', refresh)
    clearInterval(interval)
  })

  return { data, error, loading, slow, at, reload, put }
}
