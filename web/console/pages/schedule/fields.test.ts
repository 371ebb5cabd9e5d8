import { expect, test } from 'vitest'
import { dateOf, fen, filled, yuan } from './fields'

test('amounts are whole fen', () => {
  expect(fen('30')).toBe(3000)
  expect(fen('30.5')).toBe(3050)
  expect(fen('0.05')).toBe(5)
  for (const wrong of ['', '-1', '3.005', 'x', '1e3']) expect(fen(wrong), wrong).toBeUndefined()
  expect(yuan(3005)).toBe('30.05')
})

test('an empty text is none, half a text is told as it is', () => {
  expect(filled({ zh: ' ', en: '' })).toBeNull()
  expect(filled({ zh: '三诊室', en: '' })).toEqual({ zh: '三诊室', en: '' })
  expect(new Date(`${dateOf(1)}T00:00:00Z`).getUTCDay()).toBe(1)
  expect(new Date(`${dateOf(7)}T00:00:00Z`).getUTCDay()).toBe(0)
})
