/** What the pages about one's own record, cards and joining ask of the server. */
import { call, type Body, type CardKind } from '@shared/api'

export const ownApi = {
  personalData: (id: string) => call('get', '/api/v1/persons/{id}/data', { path: { id } }),
  correctName: (id: string, name: string) =>
    call('patch', '/api/v1/persons/{id}/data', { path: { id }, body: { name } }),
  withdraw: (id: string) => call('post', '/api/v1/persons/{id}/withdraw', { path: { id } }),
  closeRecord: (id: string) => call('post', '/api/v1/persons/{id}/close', { path: { id } }),
  cards: (id: string) => call('get', '/api/v1/persons/{id}/cards', { path: { id } }),
  addCard: (id: string, body: Body<'/api/v1/persons/{id}/cards', 'post'>) =>
    call('post', '/api/v1/persons/{id}/cards', { path: { id }, body }),
  removeCard: (id: string, kind: CardKind) =>
    call('delete', '/api/v1/persons/{id}/cards/{kind}', { path: { id, kind } }),
  join: (scene: string) => call('post', '/api/v1/join', { body: { scene } }),
  joining: (id: string) => call('get', '/api/v1/join/{id}', { path: { id } }),
  confirmJoining: (id: string, body: Body<'/api/v1/join/{id}', 'post'>) =>
    call('post', '/api/v1/join/{id}', { path: { id }, body }),
}
