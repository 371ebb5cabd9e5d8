/** What is typed about a member of staff, and what of it goes to the server. */
import type { Body } from '../../lib/api'
import type { Role } from '../../lib/session'

export interface StaffForm {
  login: string
  name: string
  roles: Role[]
  department_ids: string[]
  doctor_id: string
  wecom_userid: string
}

export const empty = (): StaffForm => ({
  login: '',
  name: '',
  roles: [],
  department_ids: [],
  doctor_id: '',
  wecom_userid: '',
})

type New = Body<'/api/v1/staff/members', 'post'>
type Patch = Body<'/api/v1/staff/members/{id}', 'patch'>

export function asNew(form: StaffForm): New {
  return {
    login: form.login.trim(),
    name: form.name.trim(),
    roles: form.roles,
    department_ids: form.department_ids,
    doctor_id: form.doctor_id || null,
    wecom_userid: form.wecom_userid.trim() || null,
  }
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)
const sorted = (list: readonly string[]): string[] => [...list].sort()

/** Only what has changed: the rest may have been changed by somebody else meanwhile. */
export function asPatch(before: StaffForm, after: StaffForm): Patch {
  const patch: Patch = {}
  if (before.name !== after.name.trim()) patch.name = after.name.trim()
  if (!same(sorted(before.roles), sorted(after.roles))) patch.roles = after.roles
  if (!same(sorted(before.department_ids), sorted(after.department_ids))) {
    patch.department_ids = after.department_ids
  }
  if (before.doctor_id !== (after.doctor_id || '')) patch.doctor_id = after.doctor_id || null
  if (before.wecom_userid !== after.wecom_userid.trim())
    patch.wecom_userid = after.wecom_userid.trim() || null
  return patch
}
