/** The week as rows and cells: who sits, on which days. */
import type { Answer } from '../../lib/api'

export type Clinic = Answer<'/api/v1/staff/clinics', 'get'>['items'][number]

export interface WeekRow {
  key: string
  department: string
  /** None: clinics of the department without a named doctor. */
  doctor: string | null
  /** By date, in the order of the day. */
  cells: Map<string, Clinic[]>
}

/** One row for each doctor in each department, in the order in which they are handed in. */
export function weekRows(clinics: Clinic[], departments: string[], doctors: string[]): WeekRow[] {
  const rows = new Map<string, WeekRow>()
  for (const clinic of clinics) {
    const doctor = clinic.doctor_id ?? null
    const key = `${clinic.department_id} ${doctor ?? ''}`
    const row = rows.get(key) ?? { key, department: clinic.department_id, doctor, cells: new Map() }
    row.cells.set(clinic.date, [...(row.cells.get(clinic.date) ?? []), clinic])
    rows.set(key, row)
  }
  const place = (list: string[], id: string | null): number => {
    const at = id === null ? -1 : list.indexOf(id)
    return at < 0 && id !== null ? list.length : at
  }
  return [...rows.values()].sort(
    (a, b) =>
      place(departments, a.department) - place(departments, b.department) ||
      place(doctors, a.doctor) - place(doctors, b.doctor),
  )
}

export interface Sum {
  clinics: number
  taken: number
  capacity: number
  stopped: number
}

/** The figures of a list. What is called off offers nothing. */
export function sumOf(clinics: Clinic[]): Sum {
  const open = clinics.filter((clinic) => !clinic.stopped)
  return {
    clinics: clinics.length,
    taken: open.reduce((sum, clinic) => sum + clinic.taken, 0),
    capacity: open.reduce((sum, clinic) => sum + clinic.capacity, 0),
    stopped: clinics.length - open.length,
  }
}

/** Where the focus goes from a cell: the row and the column, both from 0. */
export function step(key: string, row: number, column: number): [number, number] | undefined {
  switch (key) {
    case 'ArrowUp':
      return [row - 1, column]
    case 'ArrowDown':
      return [row + 1, column]
    case 'ArrowLeft':
      return [row, column - 1]
    case 'ArrowRight':
      return [row, column + 1]
    default:
      return undefined
  }
}
