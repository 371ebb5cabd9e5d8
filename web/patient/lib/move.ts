/** Moving a visit: the screens of choosing carry `?move=` and say what is kept meanwhile. */
import { api } from '@shared/api'
import { day } from '@shared/format'
import { computed } from 'vue'
import { useRoute } from 'vue-router'
import { useResource } from './resource'
import { session, signedIn } from './session'

export function useMove() {
  const route = useRoute()
  const id = computed(() =>
    typeof route.query.move === 'string' && route.query.move ? route.query.move : undefined,
  )
  const old = useResource(
    () => (id.value && session.value && signedIn.value ? `mine:visit:${id.value}` : undefined),
    () => api.appointment(id.value ?? ''),
  )
  /** When the visit that is to be moved takes place, in words. */
  const when = computed(() => {
    const visit = old.data.value
    return visit && `${day(visit.date)} ${visit.start}`
  })
  return { id, old: old.data, when }
}
