/** The areas and rooms that a screen may show. Whoever may not see the set-up still finds the areas. */
import { shallowRef, type ShallowRef } from 'vue'
import type { Text2 } from '@shared/i18n/i18n'
import { call } from '../../lib/api'
import { may } from '../../lib/session'

export interface PlaceOf {
  id: string
  name: Text2
}

export function usePlaces(): {
  areas: ShallowRef<PlaceOf[]>
  rooms: ShallowRef<PlaceOf[]>
  load: () => Promise<void>
} {
  const areas = shallowRef<PlaceOf[]>([])
  const rooms = shallowRef<PlaceOf[]>([])
  return {
    areas,
    rooms,
    async load() {
      areas.value = (await call('get', '/api/v1/queue/areas')).items
      if (may('queue.call')) rooms.value = (await call('get', '/api/v1/desk')).rooms
    },
  }
}
