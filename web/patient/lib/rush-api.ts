/** What the pages of the line at a release, the waitlist and missed visits ask of the server. */
import { call, type Body, type Ticket } from '@shared/api'

export const rushApi = {
  ticket: (id: string, wait: number) =>
    call('get', '/api/v1/rush/tickets/{id}', { path: { id }, query: { wait } }) as Promise<Ticket>,
  waitlist: () => call('get', '/api/v1/waitlist'),
  joinWaitlist: (body: Body<'/api/v1/waitlist', 'post'>, key: string) =>
    call('post', '/api/v1/waitlist', { body, key }),
  acceptOffer: (id: string, key: string) =>
    call('post', '/api/v1/waitlist/{id}/accept', { path: { id }, key }),
  leaveWaitlist: (id: string, key: string) =>
    call('post', '/api/v1/waitlist/{id}/leave', { path: { id }, key }),
  noShows: () => call('get', '/api/v1/no-shows'),
  appeal: (appointment_id: string, text: string, key: string) =>
    call('post', '/api/v1/no-shows/{appointment_id}/appeal', {
      path: { appointment_id },
      body: { text },
      key,
    }),
}
