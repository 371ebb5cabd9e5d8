import { wordsReady } from '@shared/i18n/i18n'
import type { Area, PageOf } from '../../lib/areas'
import { t } from './menu'

/** A page with its words in the page's language. */
async function late(
  page: ReturnType<PageOf['component']>,
): Promise<Awaited<ReturnType<PageOf['component']>>> {
  const loaded = await page
  await wordsReady()
  return loaded
}

const area: Area = {
  name: 'bookings',
  title: () => t('menu.area'),
  order: 20,
  pages: [
    {
      path: '/bookings',
      title: () => t('menu.list'),
      component: () => late(import('./BookingList.vue')),
      permission: 'booking.read',
      menu: true,
    },
    {
      path: '/counter',
      title: () => t('menu.new'),
      component: () => late(import('./BookingNew.vue')),
      permission: 'booking.find_person',
      menu: true,
    },
    {
      path: '/bookings/:id',
      title: () => t('menu.one'),
      component: () => late(import('./BookingOne.vue')),
      permission: 'booking.read',
    },
    {
      path: '/bookings/clinics/:id',
      title: () => t('menu.clinic'),
      component: () => late(import('./ClinicDesk.vue')),
      permission: 'booking.read',
    },
  ],
}

export default area
