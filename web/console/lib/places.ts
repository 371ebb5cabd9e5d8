/** Campuses, departments and doctors by their ids, for pages that name them. Read once for each page that asks. */
import { pick } from '@shared/i18n/i18n'
import { computed, shallowRef, type ComputedRef, type ShallowRef } from 'vue'
import { call, type Answer } from './api'
import { useDoing, type Doing } from './doing'

export type Places = Answer<'/api/v1/staff/places', 'get'>
export type Campus = Places['campuses'][number]
export type Department = Places['departments'][number]
export type Doctor = Places['doctors'][number]

export interface PlacesOf {
  all: ShallowRef<Places>
  loading: Doing
  read: () => Promise<void>
  /** After a change, which gives all of them. */
  take: (fresh: Places) => void
  department: (id: string) => string
  doctor: (id: string | null | undefined) => string
  campus: (id: string) => string
  doctorsOf: (department: string) => Doctor[]
  /** Departments with those below them behind the one above. */
  ordered: ComputedRef<Department[]>
}

export function usePlaces(): PlacesOf {
  const all = shallowRef<Places>({ campuses: [], departments: [], doctors: [] })
  const loading = useDoing()
  const take = (fresh: Places): void => {
    all.value = fresh
  }
  const read = async (): Promise<void> => {
    const found = await loading.run(() => call('get', '/api/v1/staff/places'))
    if (found) take(found)
  }
  void read()
  const names = computed(() => {
    const { campuses, departments, doctors } = all.value
    return new Map([...campuses, ...departments, ...doctors].map((one) => [one.id, one.name]))
  })
  const name = (id: string): string => {
    const found = names.value.get(id)
    return found ? pick(found) : ''
  }
  const ordered = computed(() => {
    const by = (parent: string | null): Department[] =>
      all.value.departments
        .filter((one) => (one.parent_id ?? null) === parent)
        .sort((a, b) => a.position - b.position || a.code.localeCompare(b.code))
    return by(null).flatMap((top) => [top, ...by(top.id)])
  })
  return {
    all,
    loading,
    read,
    take,
    ordered,
    department: name,
    campus: name,
    doctor: (id) => (id ? name(id) : ''),
    doctorsOf: (department) => all.value.doctors.filter((one) => one.department_ids.includes(department)),
  }
}
