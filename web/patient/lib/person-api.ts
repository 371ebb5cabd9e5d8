/** What the pages about the account's persons ask of the server. */
import { call, type BindPerson, type NewPerson } from '@shared/api'

export const personApi = {
  sendPersonCode: (phone: string) => call('post', '/api/v1/persons/code', { body: { phone } }),
  addPerson: (body: NewPerson, key: string) => call('post', '/api/v1/persons', { body, key }),
  bindPerson: (body: BindPerson, key: string) => call('post', '/api/v1/persons/bind', { body, key }),
  setDefault: (id: string) =>
    call('patch', '/api/v1/persons/{id}', { path: { id }, body: { is_default: true } }),
  unbind: (id: string, confirm: boolean) =>
    call('delete', '/api/v1/persons/{id}', { path: { id }, query: { confirm } }),
  sendSignInCode: (phone: string) => call('post', '/api/v1/session/sms', { body: { phone } }),
}
