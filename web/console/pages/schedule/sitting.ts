/** What clinics and templates have in common, as a form holds it. */
import type { Body } from '../../lib/api'

export type NewClinic = Body<'/api/v1/staff/clinics', 'post'>

export interface Sitting {
  department_id: string
  /** Empty: no named doctor. */
  doctor_id: string
  campus_id: string
  half_day: string
  kind: NewClinic['kind']
  online: boolean
  /** In yuan, as it is typed. */
  fee: string
  room: { zh: string; en: string }
}

export const sitting = (department_id = '', campus_id = ''): Sitting => ({
  department_id,
  doctor_id: '',
  campus_id,
  half_day: 'am',
  kind: 'specialist',
  online: false,
  fee: '30.00',
  room: { zh: '', en: '' },
})
