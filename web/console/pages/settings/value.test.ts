import { expect, test } from 'vitest'
import { fromField, shapeOf, toField } from './value'

test('what a value is, its default says', () => {
  expect(shapeOf(true)).toBe('flag')
  expect(shapeOf(3)).toBe('number')
  expect(shapeOf('07:00')).toBe('time')
  expect(shapeOf('2026-11')).toBe('text')
  expect(shapeOf([])).toBe('lines')
  expect(shapeOf([], [{ kind: 'special' }])).toBe('json')
  expect(shapeOf({})).toBe('json')
})

test('values go through a field and come out the same', () => {
  for (const value of [true, 3, '07:00', ['a', 'b'], { from: '21:00' }]) {
    const shape = shapeOf(value)
    expect(fromField(shape, toField(shape, value))).toEqual(value)
  }
  expect(fromField('lines', ' a \n\n b')).toEqual(['a', 'b'])
  expect(() => fromField('number', '3x')).toThrow(SyntaxError)
  expect(() => fromField('json', '{')).toThrow(SyntaxError)
})
