/** What the pages of paying ask of the server. */
import { call, type PaymentWay } from '@shared/api'

export const payApi = {
  paymentWays: () => call('get', '/api/v1/payments/ways'),
  pay: (subject_id: string, way: PaymentWay, key: string) =>
    call('post', '/api/v1/payments', { body: { subject_id, way }, key }),
  payment: (id: string) => call('get', '/api/v1/payments/{id}', { path: { id } }),
  paymentSheetClosed: (id: string, key: string) =>
    call('post', '/api/v1/payments/{id}/sheet-closed', { path: { id }, key }),
  charges: (after?: string) =>
    call('get', '/api/v1/charges', { query: { after: after ? Number(after) : undefined } }),
  charge: (id: string) => call('get', '/api/v1/charges/{id}', { path: { id } }),
}
