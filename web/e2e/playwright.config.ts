import { defineConfig } from '@playwright/test'

const wechatAndroid =
  'Mozilla/5.0 (Linux; Android 14; PHM110) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 XWEB/1260059 MMWEBSDK/20240404 MicroMessenger/8.0.50.2701 WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64'
const wechatIphone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50 NetType/WIFI Language/en'

const phone = { hasTouch: true, isMobile: true, deviceScaleFactor: 2 }

/** What a project adds to Playwright's own options: the words expected, how to sign in, how large the text is. */
export interface Kind {
  lang: 'zh' | 'en'
  wechat: boolean
  elder: boolean
  /** The root's text size that the phone sets, px. */
  root: number
}

export default defineConfig<{ kind: Kind }>({
  testDir: '.',
  outputDir: '../test-results',
  globalSetup: './setup.ts',
  fullyParallel: true,
  workers: 2,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    timezoneId: 'America/New_York',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  testIgnore: /(phones|console|week|desk|calling|day|coming|paying|finance)\.spec\.ts/,
  projects: [
    {
      // The console, at a desk.
      name: 'console',
      testMatch: /(console|week)\.spec\.ts/,
      testIgnore: [],
      use: { viewport: { width: 1366, height: 768 }, locale: 'zh-CN' },
    },
    // A patient's phone and the registration desk.
    {
      name: 'desk',
      testMatch: /desk\.spec\.ts/,
      testIgnore: [],
      use: { ...phone, viewport: { width: 390, height: 844 }, locale: 'zh-CN' },
    },
    // Kiosk, desk and posters, with phones that scan.
    { name: 'coming', testMatch: /coming\.spec\.ts/, testIgnore: [], use: { locale: 'zh-CN' } },
    // A screen and a kiosk beside the console, in a demonstration of their own.
    { name: 'calling', testMatch: /(calling|day)\.spec\.ts/, testIgnore: [] },
    // The simulator's phones, in the demonstration itself.
    { name: 'phones', testMatch: /(phones|paying)\.spec\.ts/, testIgnore: [] },
    // The finance office, in a demonstration of its own: it moves the clock to the next morning.
    { name: 'finance', testMatch: /finance\.spec\.ts/, testIgnore: [] },
    {
      name: 'android-wechat',
      use: {
        ...phone,
        viewport: { width: 390, height: 844 },
        userAgent: wechatAndroid,
        locale: 'zh-CN',
        kind: { lang: 'zh', wechat: true, elder: false, root: 16 },
      },
    },
    {
      name: 'ios-wechat',
      use: {
        ...phone,
        viewport: { width: 390, height: 844 },
        userAgent: wechatIphone,
        locale: 'en-GB',
        kind: { lang: 'en', wechat: true, elder: false, root: 16 },
      },
    },
    {
      name: 'elder',
      use: {
        ...phone,
        viewport: { width: 320, height: 720 },
        userAgent: wechatAndroid,
        locale: 'zh-CN',
        kind: { lang: 'zh', wechat: true, elder: true, root: 24 },
      },
    },
    {
      // A plain browser: signing in by text message; text at 200 %.
      name: 'browser-200',
      use: {
        viewport: { width: 320, height: 720 },
        locale: 'en-GB',
        kind: { lang: 'en', wechat: false, elder: false, root: 32 },
      },
    },
  ],
})
