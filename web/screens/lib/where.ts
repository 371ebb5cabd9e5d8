/** Which view the address names: `/screens/area/are_…`, or nothing for a device that is told what to show. */
import { prefix } from '@shared/api'

export interface Where {
  view: 'device' | 'area' | 'door' | 'overview' | 'experts' | 'kiosk'
  of: string
}

const VIEWS = ['area', 'door', 'overview', 'experts', 'kiosk'] as const

export function where(path: string = location.pathname): Where {
  const [view = '', of = ''] = path
    .slice(prefix().length)
    .replace(/^\/screens\/?/, '')
    .split('/')
  const known = VIEWS.find((one) => one === view)
  return known ? { view: known, of: decodeURIComponent(of) } : { view: 'device', of: '' }
}
