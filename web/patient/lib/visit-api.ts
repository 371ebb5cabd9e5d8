/** What single later screens ask of the server about visits, and the search. */
import { call } from '@shared/api'

export const visitApi = {
  move: (id: string, slot_id: string, key: string) =>
    call('post', '/api/v1/appointments/{id}/move', { path: { id }, body: { slot_id }, key }),
  cancel: (id: string, key: string) =>
    call('post', '/api/v1/appointments/{id}/cancel', { path: { id }, key }),
  again: () => call('get', '/api/v1/appointments/again'),
  search: (q: string) => call('get', '/api/v1/search', { query: { q } }),
}
