/** What the screens of waiting ask of the server. Each act may be asked twice: it is done once. */
import { call } from '@shared/api'
import type { Position } from './position'

export const queueApi = {
  here: (code: string) => call('get', '/api/v1/queue/places/{code}', { path: { code } }),
  checkIn: (body: { code?: string; appointment_id?: string; position?: Position }) =>
    call('post', '/api/v1/queue/check-ins', { body }),
  number: (body: {
    code?: string
    position?: Position
    area_id?: string
    order_id?: string
    person_id?: string
    queue_id?: string
  }) => call('post', '/api/v1/queue/numbers', { body }),
  tickets: () => call('get', '/api/v1/queue/tickets'),
  ticket: (id: string) => call('get', '/api/v1/queue/tickets/{id}', { path: { id } }),
  leave: (id: string) => call('post', '/api/v1/queue/tickets/{id}/leave', { path: { id } }),
  orders: () => call('get', '/api/v1/queue/orders'),
  pickups: () => call('get', '/api/v1/queue/pickups'),
  pickup: (id: string) => call('get', '/api/v1/queue/pickups/{id}', { path: { id } }),
  waiting: () => call('get', '/api/v1/queue/waiting', {}),
}
