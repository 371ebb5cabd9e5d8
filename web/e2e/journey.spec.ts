/** From a stranger to a booked, moved and cancelled visit, with every screen on the way looked at. */
import { expect, test } from './world'

test('a new person books, looks, moves and cancels; every screen holds', async ({ patient }) => {
  test.setTimeout(150_000)
  const { page, words } = patient
  const look = (name: string): Promise<void> => patient.look(name)

  await patient.go('/')
  await look('home-guest')
  await patient.go('/departments')
  await patient.department().waitFor()
  await look('departments')
  await page.getByRole('searchbox').fill('nk')
  await page.getByRole('heading', { level: 2 }).first().waitFor()
  await look('search')
  await page.getByRole('searchbox').fill('qqqq')
  await page.locator('.empty').waitFor()
  await look('search-nothing')
  await page.getByRole('searchbox').fill('')
  await patient.department().click()
  await patient.firstTime().waitFor()
  await look('doctors')

  // A doctor's own page, and the times of a day over it.
  await page.locator('.dcard-who').first().click()
  await page.locator('.cells .cell').first().waitFor()
  await look('doctor')
  await page.locator('.cells .cell', { hasText: /\d/ }).nth(1).click()
  await page.getByRole('dialog').waitFor()
  await look('times')
  await page.goBack()
  await expect(page.getByRole('dialog')).toHaveCount(0)

  await patient.chooseFirst()
  await look('confirm-guest')
  if (!patient.kind.wechat) {
    await patient.button(words.signIn).click()
    await page.getByRole('textbox', { name: words.phone }).waitFor()
    await look('sign-in')
    await page.goBack()
    await patient.heading(words.check).waitFor()
  }
  await patient.signIn()
  await look('confirm-no-person')
  await patient.addSelf(look)
  await look('confirm')
  await patient.button(words.confirm).click()
  await patient.heading(words.booked).waitFor()
  await look('done')

  // Back can't come to the form again.
  await patient.link(words.see).click()
  await page.getByRole('img').waitFor()
  await look('visit')
  const visit = new URL(page.url()).pathname

  await patient.go('/')
  await page.locator('.vcard').waitFor()
  await look('home')
  await patient.go('/persons')
  const data = new URL(
    (await page.locator('a[href$="/data"]').first().getAttribute('href')) ?? '',
    page.url(),
  )
  const pages = ['/appointments', '/persons', '/persons/bind', '/me', '/help', '/nothing/here']
  for (const path of [
    ...pages,
    '/code?problem=code_over',
    '/bills',
    '/waitlist',
    '/no-shows',
    data.pathname,
  ]) {
    await patient.go(path)
    await expect(page.locator('.skel')).toHaveCount(0)
    await look(path === data.pathname ? 'person-data' : path.slice(1).replaceAll(/[/?=]/g, '-'))
  }

  // Moving: the old place is kept until the new one is had.
  await patient.go(visit)
  await patient.link(words.move).click()
  await page.locator('.cells .cell').first().waitFor()
  await look('move')
  await page.locator('.doc-first a').last().click()
  await patient.button(words.confirmMove).click()
  await patient.heading(words.moved).waitFor()
  await patient.link(words.see).click()
  await patient.button(words.cancel).click()
  await page.getByRole('dialog').waitFor()
  await look('cancel')
  await patient.button(words.cancelYes).click()
  await expect(page.getByText(words.cancelled)).toBeVisible()
  await look('cancelled')
})

test('a known person is booked within four taps of the departments', async ({ patient }) => {
  await patient.book()
  let taps = 0
  await patient.page.exposeFunction('tapped', () => {
    taps += 1
  })
  await patient.page.addInitScript(() => {
    addEventListener('click', () => (window as unknown as { tapped: () => void }).tapped(), true)
  })
  await patient.go('/departments')
  // Another department: one a day in each.
  await patient
    .link(patient.kind.lang === 'zh' ? /眼科/ : /Ophthalmology|Eye/i)
    .first()
    .click()
  await patient.firstTime().click()
  await patient.button(patient.words.confirm).click()
  await patient.heading(patient.words.booked).waitFor()
  expect(taps).toBeLessThanOrEqual(4)
})
