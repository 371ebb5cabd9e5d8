import type { Area } from '../../lib/areas'
import { t } from './words'

const area: Area = {
  name: 'bookings',
  title: () => t('bookings.area'),
  order: 20,
  pages: [
    {
      path: '/bookings',
      title: () => t('bookings.list'),
      component: () => import('./BookingList.vue'),
      permission: 'booking.read',
      menu: true,
    },
    {
      path: '/bookings/new',
      title: () => t('bookings.new'),
      component: () => import('./BookingNew.vue'),
      permission: 'booking.find_person',
      menu: true,
    },
    {
      path: '/bookings/:id',
      title: () => t('bookings.one'),
      component: () => import('./BookingOne.vue'),
      permission: 'booking.read',
    },
    {
      path: '/bookings/clinics/:id',
      title: () => t('clinic.one'),
      component: () => import('./ClinicDesk.vue'),
      permission: 'booking.read',
    },
  ],
}

export default area
