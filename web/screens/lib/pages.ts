/** Lists that are longer than a wall: shown page by page, by themselves. */
import { computed, onBeforeUnmount, ref, type ComputedRef, type Ref } from 'vue'

export interface Paged<T> {
  rows: ComputedRef<T[]>
  page: Ref<number>
  pages: ComputedRef<number>
}

/** `size` rows at a time, the next after `every` ms, round and round. */
export function usePages<T>(all: () => readonly T[], size: () => number, every = 8_000): Paged<T> {
  const at = ref(0)
  const pages = computed(() => Math.max(1, Math.ceil(all().length / size())))
  const page = computed({
    get: () => at.value % pages.value,
    set: (wanted: number) => (at.value = wanted),
  })
  const timer = setInterval(() => (page.value = (page.value + 1) % pages.value), every)
  onBeforeUnmount(() => clearInterval(timer))
  // The last page is filled up from the one before, so that rows don't jump about.
  const rows = computed(() => {
    const list = all()
    const from = Math.min(page.value * size(), Math.max(0, list.length - size()))
    return list.slice(from, from + size())
  })
  return { rows, page, pages }
}
