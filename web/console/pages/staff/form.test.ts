import { expect, test } from 'vitest'
import { asNew, asPatch, empty } from './form'

const known = {
  ...empty(),
  login: 'lin',
  name: '林若水',
  roles: ['nurse' as const],
  department_ids: ['dep_1', 'dep_2'],
  doctor_id: 'doc_1',
}

test('only what has changed is sent; what is emptied goes away', () => {
  expect(asPatch(known, { ...known, department_ids: ['dep_2', 'dep_1'], name: ' 林若水 ' })).toEqual({})
  expect(asPatch(known, { ...known, roles: ['nurse', 'triage'] })).toEqual({ roles: ['nurse', 'triage'] })
  expect(asPatch(known, { ...known, doctor_id: '', wecom_userid: ' lin ' })).toEqual({
    doctor_id: null,
    wecom_userid: 'lin',
  })
})

test('a new one has no empty texts', () => {
  expect(asNew({ ...empty(), login: ' lin ', name: '林若水', roles: ['nurse'] })).toEqual({
    login: 'lin',
    name: '林若水',
    roles: ['nurse'],
    department_ids: [],
    doctor_id: null,
    wecom_userid: null,
  })
})
