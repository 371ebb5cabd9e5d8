// Measures the patient app in a phone's place: Chromium with a slow processor and a slow network, spoken to through its own
// protocol. `cargo xtask bench pages` starts the server, calls this, judges and prints what it found.
//
//   node e2e/bench/pages.mjs --url http://127.0.0.1:20080 --out FILE [--rounds 5] [--chromium PATH]
//
// Each round, in fresh profiles (cold caches): home, and from there by taps to the list of departments, its doctors, the sheet
// of times, and "check and confirm"; then each of those screens as the first one, as a link in a chat or a scanned code opens
// it. Nothing is booked, so all rounds see the same.
import { writeFileSync } from 'node:fs'
import { chromium, errors } from '@playwright/test'

/** Chromium's "slow 4G": 1.44 Mbit/s down, 0.675 up, 562.5 ms for every request. */
const NETWORK = { offline: false, latency: 562.5, downloadThroughput: 180_000, uploadThroughput: 84_375 }
const CPU = 4
const VIEWPORT = { width: 390, height: 844 }
/** The network is quiet when nothing was under way for so long, ms. */
const QUIET = 500
const PATIENCE = 60_000
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** What makes each screen useful: the first thing on it that a person came for. */
const USEFUL = {
  home: '.home-way-main',
  departments: '.dept-group .cell',
  doctors: '.dcard',
  doctor: '.doc-first .btn',
  slots: 'dialog[open] .slots-one:not(:disabled)',
  confirm: '.screen-foot .btn-main',
}

/** Runs in the page before anything else of it. */
function instrument(selector) {
  const seen = (what) =>
    [...document.querySelectorAll(what)].some((one) => {
      const box = one.getBoundingClientRect()
      return box.width > 0 && box.height > 0 && box.top < innerHeight && box.bottom > 0
    })
  const bench = { lcp: 0, long: [], tapped: 0 }
  // The frame that shows it is drawn after the callback that found it: the first task behind that is when it can be seen.
  bench.until = (what) =>
    new Promise((resolve) => {
      const look = () => {
        if (!seen(what)) return requestAnimationFrame(look)
        const { port1, port2 } = new MessageChannel()
        port1.onmessage = () => resolve(performance.now())
        port2.postMessage(0)
      }
      requestAnimationFrame(look)
    })
  // The sum of tasks over 50 ms that began in a span.
  bench.busy = (from, to) =>
    bench.long.filter(([at]) => at >= from && at < to).reduce((sum, [, took]) => sum + took, 0)
  bench.paint = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1
  const watch = (type, take) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true })
  watch('longtask', (entry) => bench.long.push([entry.startTime, entry.duration]))
  watch('largest-contentful-paint', (entry) => (bench.lcp = entry.startTime))
  addEventListener('click', (event) => (bench.tapped = event.timeStamp), true)
  if (selector) bench.first = bench.until(selector)
  window.xlBench = bench
}

/** What went over the wire, as Chromium counted it. */
class Wire {
  constructor(cdp) {
    this.open = new Map()
    this.bytes = 0
    this.requests = 0
    this.done = []
    this.changed = Date.now()
    cdp.on('Network.requestWillBeSent', ({ requestId, request, timestamp }) => {
      this.began ??= timestamp
      // A live stream never ends.
      if (request.url.includes('/api/v1/live')) return
      this.open.set(requestId, { url: request.url, body: 0, from: this.since(timestamp) })
      this.changed = Date.now()
    })
    cdp.on('Network.responseReceived', ({ requestId, response }) => {
      const one = this.open.get(requestId)
      if (!one) return
      const header = (name) =>
        Object.entries(response.headers).find(([key]) => key.toLowerCase() === name)?.[1] ?? ''
      one.type = header('content-type').split(';')[0]
      one.encoding = header('content-encoding')
    })
    cdp.on('Network.dataReceived', ({ requestId, dataLength }) => {
      const one = this.open.get(requestId)
      if (one) one.body += dataLength
    })
    cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength, timestamp }) => {
      const one = this.open.get(requestId)
      if (!one) return
      this.open.delete(requestId)
      this.bytes += encodedDataLength
      this.requests += 1
      this.done.push({ ...one, wire: encodedDataLength, to: this.since(timestamp) })
      this.changed = Date.now()
    })
    cdp.on('Network.loadingFailed', ({ requestId }) => {
      this.open.delete(requestId)
      this.changed = Date.now()
    })
  }

  /** Milliseconds since the first request. */
  since(timestamp) {
    return Math.round((timestamp - this.began) * 1000)
  }

  async quiet() {
    const since = Date.now()
    while (this.open.size > 0 || Date.now() - this.changed < QUIET) {
      if (Date.now() - since > PATIENCE) {
        throw new Error(
          `the network was not quiet: ${[...this.open.values()].map((one) => one.url).join(' ')}`,
        )
      }
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}

const kib = (bytes) => bytes / 1024
const say = (text) => process.stderr.write(`${text}\n`)

/** Opens a page in a fresh profile and measures its first load. */
async function load(browser, url, selector) {
  const context = await browser.newContext({
    viewport: VIEWPORT,
    isMobile: true,
    hasTouch: true,
    deviceScaleFactor: 1,
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE)
  const cdp = await context.newCDPSession(page)
  await cdp.send('Network.enable')
  await cdp.send('Network.emulateNetworkConditions', NETWORK)
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: CPU })
  await page.addInitScript(instrument, selector)
  const wire = new Wire(cdp)
  await page.goto(url, { waitUntil: 'commit' })
  const useful = await within(
    page.evaluate(() => window.xlBench.first),
    `${url}: ${selector} did not come`,
  )
  const bytes = wire.bytes
  await wire.quiet()
  const found = await page.evaluate(
    (until) => ({
      fcp: window.xlBench.paint(),
      lcp: window.xlBench.lcp,
      long: window.xlBench.busy(0, until),
    }),
    useful,
  )
  if (found.fcp < 0 || found.lcp <= 0) throw new Error(`${url}: Chromium reported no paint`)
  const result = { ...found, useful, kib: kib(bytes), kib_all: kib(wire.bytes), requests: wire.requests }
  return { context, page, wire, result }
}

/** Taps something and measures until what it leads to can be seen. */
async function tap(page, wire, target, selector) {
  const before = wire.bytes
  const shown = page.evaluate((what) => window.xlBench.until(what), selector)
  await target.tap()
  const useful = await within(shown, `after the tap ${selector} did not come`)
  await wire.quiet()
  const found = await page.evaluate((until) => {
    const { tapped, busy } = window.xlBench
    return { useful: until - tapped, long: busy(tapped, until) }
  }, useful)
  return { ...found, kib: kib(wire.bytes - before) }
}

/** A promise that is given up after PATIENCE. */
function within(promise, what) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new errors.TimeoutError(what)), PATIENCE)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** Home and the way by taps to "check and confirm"; gives the addresses of the screens on it. */
async function journey(browser, base, keep) {
  const { context, page, wire, result } = await load(browser, `${base}/`, USEFUL.home)
  keep('cold', 'home', result)
  const path = () => page.url().slice(base.length)
  await step('departments', page.locator('.home-way-main'))
  const places = { departments: path() }
  // The first department in which there is a place.
  const department = page
    .locator('.dept-group .cell')
    .filter({ has: page.locator('.left') })
    .first()
  await step('doctors', department)
  places.doctors = path()
  const day = page.locator('.dcard-days a.chip').first()
  await step('slots', day)
  places.doctor = path().split('?')[0]
  await step('confirm', page.locator(USEFUL.slots).first())
  places.confirm = path()
  await context.close()
  return places

  async function step(name, target) {
    keep('taps', name, await tap(page, wire, target, USEFUL[name]))
  }
}

function options() {
  const given = {}
  const args = process.argv.slice(2)
  for (let at = 0; at < args.length; at += 2) given[args[at]?.replace(/^--/, '')] = args[at + 1]
  const { url, out, rounds = '5', chromium: path = process.env.CHROMIUM ?? '/usr/bin/chromium' } = given
  if (!url || !out || !(Number(rounds) > 0)) {
    say('pages.mjs --url ADDRESS --out FILE [--rounds 5] [--chromium PATH]')
    process.exit(2)
  }
  return { url: url.replace(/\/$/, ''), out, rounds: Number(rounds), path }
}

const { url, out, rounds, path } = options()
const browser = await chromium.launch({ executablePath: path, args: FLAGS })
const found = { browser: `Chromium ${browser.version()}`, cold: {}, taps: {}, wire: [] }
try {
  // Round 0 warms the server and the machine's caches and does not count.
  for (let round = 0; round <= rounds; round += 1) {
    const keep = (kind, name, result) => {
      if (round > 0) (found[kind][name] ??= []).push(result)
    }
    const places = await journey(browser, url, keep)
    for (const [name, place] of Object.entries(places)) {
      const { context, wire, result } = await load(browser, url + place, USEFUL[name])
      keep('cold', name, result)
      if (round === rounds) {
        found.wire.push(
          ...wire.done.map((one) => ({
            screen: name,
            path: new URL(one.url).pathname,
            type: one.type ?? '',
            encoding: one.encoding || 'none',
            body_bytes: one.body,
            wire_bytes: one.wire,
            from_ms: one.from,
            to_ms: one.to,
          })),
        )
      }
      await context.close()
    }
    const last = found.cold.departments?.at(-1)
    say(
      round === 0
        ? 'warmed up'
        : `round ${round} of ${rounds}: departments useful after ${Math.round(last.useful)} ms`,
    )
  }
} finally {
  await browser.close()
}
writeFileSync(out, JSON.stringify(found))
