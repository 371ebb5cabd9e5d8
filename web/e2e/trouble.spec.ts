/** What goes wrong on a phone: lost answers, back and forward, a reload at the wrong moment, no network. */
import { expect, test } from './world'

// One phone and one plain browser: nothing here depends on the size of the text, and codes by text message are counted.
test.skip(({ kind }) => kind.elder || (kind.wechat && kind.lang === 'en'))

test('an answer that is lost after the commit books once', async ({ patient }) => {
  const { page, words } = patient
  await patient.chooseFirst()
  await patient.signIn()
  await patient.addSelf()
  // The server does its work; the phone never hears of it.
  const keys: (string | undefined)[] = []
  const browser = await page.context().newCDPSession(page)
  browser.on('Fetch.requestPaused', ({ requestId, request }) => {
    if (request.method === 'POST')
      keys.push(request.headers['Idempotency-Key'] ?? request.headers['idempotency-key'])
    const lost = request.method === 'POST' && keys.length === 1
    void (lost
      ? browser.send('Fetch.failRequest', { requestId, errorReason: 'ConnectionReset' })
      : browser.send('Fetch.continueRequest', { requestId }))
  })
  await browser.send('Fetch.enable', {
    patterns: [{ urlPattern: '*/api/v1/appointments', requestStage: 'Response' }],
  })
  await patient.button(words.confirm).click()
  await patient.heading(words.booked).waitFor()
  expect(keys.length).toBeGreaterThan(1)
  expect(keys[0]).toBeTruthy()
  expect(new Set(keys).size).toBe(1)
  await patient.go('/appointments')
  await expect(page.locator('.vcard')).toHaveCount(1)
})

test('back closes a sheet, not the page; and never comes to the form of a booked visit', async ({
  patient,
}) => {
  const { page, words } = patient
  await patient.go('/departments')
  await patient.department().click()
  await page.locator('.dcard-who').first().click()
  await page.locator('.cells .cell').nth(1).click()
  await page.getByRole('dialog').waitFor()
  const open = page.url()
  await page.goBack()
  await expect(page.getByRole('dialog')).toHaveCount(0)
  expect(new URL(page.url()).pathname).toBe(new URL(open).pathname)
  await page.goForward()
  await page.getByRole('dialog').waitFor()
  await page.getByRole('button', { name: words.close, exact: true }).click()
  await expect(page.getByRole('dialog')).toHaveCount(0)

  await patient.chooseFirst()
  await patient.signIn()
  await patient.addSelf()
  await patient.button(words.confirm).click()
  await patient.heading(words.booked).waitFor()
  await page.goBack()
  await expect(patient.button(words.confirm)).toHaveCount(0)
})

test('a reload while choosing keeps the choice', async ({ patient }) => {
  await patient.chooseFirst()
  const before = await patient.page.locator('.facts').innerText()
  await patient.page.reload()
  await patient.heading(patient.words.check).waitFor()
  await expect(patient.page.locator('.facts')).toHaveText(before.replace(/\s+/g, ' '), { useInnerText: true })
})

test('without a network the page says so, keeps what it had, and comes back by itself', async ({
  patient,
}) => {
  const { page } = patient
  await patient.go('/departments')
  await patient.department().waitFor()
  // Not even the next screen's own code is there yet.
  await page.context().setOffline(true)
  await patient.department().click()
  await expect(page.getByRole('alert')).toBeVisible()
  await page.context().setOffline(false)
  await patient.firstTime().waitFor()
})

test('each first answer is asked for once: the page’s head and the program do not repeat each other', async ({
  patient,
}) => {
  const asked: string[] = []
  patient.page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.pathname.startsWith('/api/')) asked.push(url.pathname + url.search)
  })
  await patient.go('/departments')
  await patient.department().waitFor()
  expect(asked.filter((one) => one.endsWith('/departments'))).toHaveLength(1)
  expect(asked.filter((one) => one.endsWith('/hospital'))).toHaveLength(1)
  expect(asked.filter((one) => one.endsWith('/session'))).toHaveLength(1)
})
