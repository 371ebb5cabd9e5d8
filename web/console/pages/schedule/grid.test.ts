import { expect, test } from 'vitest'
import { step, sumOf, weekRows, type Clinic } from './grid'

const clinic = (department_id: string, doctor_id: string | null, date: string, taken = 0): Clinic =>
  ({
    id: `${department_id}${doctor_id}${date}`,
    department_id,
    doctor_id,
    date,
    taken,
    capacity: 10,
    stopped: false,
  }) as Clinic

test('a doctor has a row in each department, the general clinic stands first', () => {
  const rows = weekRows(
    [
      clinic('b', 'd1', '1'),
      clinic('a', 'd2', '1'),
      clinic('a', 'd1', '2'),
      clinic('a', null, '1'),
      clinic('a', 'd1', '2', 3),
    ],
    ['a', 'b'],
    ['d1', 'd2'],
  )
  expect(rows.map((row) => [row.department, row.doctor])).toEqual([
    ['a', null],
    ['a', 'd1'],
    ['a', 'd2'],
    ['b', 'd1'],
  ])
  expect(rows[1]?.cells.get('2')?.map((one) => one.taken)).toEqual([0, 3])
})

test('what is called off offers nothing', () => {
  const off = { ...clinic('a', null, '1', 4), stopped: true }
  expect(sumOf([clinic('a', 'd1', '1', 3), off])).toEqual({ clinics: 2, taken: 3, capacity: 10, stopped: 1 })
})

test('arrows lead from cell to cell', () => {
  expect(step('ArrowUp', 2, 3)).toEqual([1, 3])
  expect(step('ArrowRight', 2, 3)).toEqual([2, 4])
  expect(step('Enter', 2, 3)).toBeUndefined()
})
