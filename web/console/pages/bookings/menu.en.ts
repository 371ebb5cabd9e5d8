export const menu = {
  'menu.area': 'Registration desk',
  'menu.list': 'Bookings',
  'menu.new': 'Book at the counter',
  'menu.one': 'Booking',
  'menu.clinic': 'Clinic',
} as const
