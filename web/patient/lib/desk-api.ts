/** What the pages after a stop, of return visits and added numbers ask of the server. */
import { call } from '@shared/api'

export const deskApi = {
  offers: (id: string) => call('get', '/api/v1/appointments/{id}/offers', { path: { id } }),
  rebook: (id: string, slot_id: string, key: string) =>
    call('post', '/api/v1/appointments/{id}/rebook', { path: { id }, body: { slot_id }, key }),
  needsNone: (id: string, key: string) =>
    call('post', '/api/v1/appointments/{id}/needs-none', { path: { id }, key }),
  returnSlots: (id: string) => call('get', '/api/v1/appointments/{id}/return-slots', { path: { id } }),
  returnVisit: (id: string, slot_id: string, key: string) =>
    call('post', '/api/v1/appointments/{id}/return-visit', { path: { id }, body: { slot_id }, key }),
  addOn: (code: string) => call('get', '/api/v1/add-on-codes/{code}', { path: { code } }),
  takeAddOn: (code: string, person_id: string, key: string) =>
    call('post', '/api/v1/add-on-codes/{code}', { path: { code }, body: { person_id }, key }),
}
