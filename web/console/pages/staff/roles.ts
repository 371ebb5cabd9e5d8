/** The roles and states, in the order in which they are offered. */
import type { Answer } from '../../lib/api'
import type { Role } from '../../lib/session'

type Row = Answer<'/api/v1/staff/members', 'get'>['items'][number]

export const ROLES: readonly Role[] = [
  'system_admin',
  'security_admin',
  'audit_admin',
  'operations',
  'triage',
  'nurse',
  'doctor',
  'finance',
  'experience',
  'director',
]
export const ADMINISTRATORS: readonly Role[] = ['system_admin', 'security_admin', 'audit_admin']
export const STATES: readonly Row['state'][] = ['active', 'locked', 'disabled']
