/** Filters of a list that live in the address: a reload keeps them, and a colleague can be sent them. */
import { computed, type WritableComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'

export type Filters<K extends string> = Record<K, string>

export interface FiltersOf<K extends string> {
  /** All of them; what is not in the address is empty. */
  all: () => Filters<K>
  /** One of them, for a field. */
  field: (name: K) => WritableComputedRef<string>
  set: (changes: Partial<Filters<K>>) => void
  clear: () => void
  any: () => boolean
}

export function useFilters<K extends string>(names: readonly K[]): FiltersOf<K> {
  const route = useRoute()
  const router = useRouter()
  const read = (name: K): string => {
    const value = route.query[name]
    return typeof value === 'string' ? value : ''
  }
  const all = (): Filters<K> => Object.fromEntries(names.map((name) => [name, read(name)])) as Filters<K>
  const set = (changes: Partial<Filters<K>>): void => {
    const query = { ...route.query }
    for (const [name, value] of Object.entries<string | undefined>(changes)) {
      if (value) query[name] = value
      else delete query[name]
    }
    void router.replace({ query })
  }
  return {
    all,
    set,
    field: (name) =>
      computed({ get: () => read(name), set: (value) => set({ [name]: value } as Partial<Filters<K>>) }),
    clear: () => set(Object.fromEntries(names.map((name) => [name, ''])) as Filters<K>),
    any: () => names.some((name) => read(name) !== ''),
  }
}
