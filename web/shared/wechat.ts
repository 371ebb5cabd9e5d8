/**
 * Everything about the app that our pages stand in. In WeChat its JS-SDK does what a browser can't; elsewhere each call
 * does the nearest sensible thing. The script comes from the address in the hospital's settings, so whoever serves it
 * (WeChat, or the simulator) decides what stands behind it.
 */
import { api, type WechatSheet } from './api'

interface Wx {
  config(options: Record<string, unknown>): void
  ready(then: () => void): void
  error(then: (result: unknown) => void): void
  closeWindow(): void
  hideMenuItems(options: { menuList: string[] }): void
  scanQRCode(options: Record<string, unknown>): void
  getLocation(options: Record<string, unknown>): void
  chooseWXPay(options: Record<string, unknown>): void
}

declare global {
  interface Window {
    wx?: Wx
    WeixinJSBridge?: { call: (name: string) => void }
  }
}

// iOS signs the address at which the page was first entered, Android the current one.
const entered = location.href.split('#')[0] ?? ''
const ios = /iPhone|iPad/.test(navigator.userAgent)

let loading: Promise<Wx | undefined> | undefined

function script(url: string): Promise<void> {
  return new Promise((done, fail) => {
    const element = document.createElement('script')
    element.src = url
    element.onload = () => done()
    element.onerror = () => fail(new Error('js-sdk'))
    document.head.append(element)
  })
}

async function configure(wx: Wx, url: string): Promise<boolean> {
  const signed = await api.jsSdk(url)
  return new Promise((done) => {
    wx.ready(() => done(true))
    wx.error(() => done(false))
    wx.config({
      debug: false,
      appId: signed.app_id,
      timestamp: signed.timestamp,
      nonceStr: signed.nonce_str,
      signature: signed.signature,
      jsApiList: ['closeWindow', 'hideMenuItems', 'scanQRCode', 'getLocation', 'chooseWXPay'],
    })
  })
}

/** Loads and signs the SDK, once, where the hospital has one; `undefined` where it can't be had. */
export function sdk(address: string | null | undefined): Promise<Wx | undefined> {
  if (!address) return Promise.resolve(undefined)
  loading ??= (async () => {
    try {
      await script(address)
      const wx = window.wx
      if (!wx) return undefined
      const now = location.href.split('#')[0] ?? ''
      const ok = (await configure(wx, ios ? entered : now)) || (await configure(wx, ios ? now : entered))
      return ok ? wx : undefined
    } catch {
      return undefined
    }
  })()
  return loading
}

/** Pages about a person are not for forwarding. */
export async function hideSharing(address: string | null | undefined): Promise<void> {
  const wx = await sdk(address)
  wx?.hideMenuItems({
    menuList: [
      'menuItem:share:appMessage',
      'menuItem:share:timeline',
      'menuItem:copyUrl',
      'menuItem:favorite',
    ],
  })
}

/** Closes the page and shows the chat again; says whether that was possible. */
export async function closePage(address: string | null | undefined): Promise<boolean> {
  const wx = await sdk(address)
  if (wx) {
    wx.closeWindow()
    return true
  }
  if (window.WeixinJSBridge) {
    window.WeixinJSBridge.call('closeWindow')
    return true
  }
  return false
}

/** Lets the phone read a code: its text, `undefined` when the person gave up, `null` where nothing here can scan. */
export async function scanCode(address: string | null | undefined): Promise<string | undefined | null> {
  const wx = await sdk(address)
  if (!wx) return null
  return new Promise((done) => {
    wx.scanQRCode({
      needResult: 1,
      scanType: ['qrCode', 'barCode'],
      // A bar code comes with its kind before a comma.
      success: (told: { resultStr?: string }) => done(told.resultStr?.replace(/^[A-Z0-9_]+,/, '')),
      cancel: () => done(undefined),
      fail: () => done(null),
    })
  })
}

/** Where WeChat says that the phone is; `undefined` where it can't or may not say. */
export async function locate(
  address: string | null | undefined,
): Promise<{ latitude: number; longitude: number; accuracy_m: number } | undefined> {
  const wx = await sdk(address)
  if (!wx) return undefined
  return new Promise((done) => {
    wx.getLocation({
      type: 'wgs84',
      success: (told: {
        latitude: number | string
        longitude: number | string
        accuracy?: number | string
      }) =>
        done({
          latitude: Number(told.latitude),
          longitude: Number(told.longitude),
          // A phone that does not say how sure it is counts as not sure.
          accuracy_m: Math.ceil(Number(told.accuracy ?? 1_000)),
        }),
      cancel: () => done(undefined),
      fail: () => done(undefined),
    })
  })
}

/**
 * Opens WeChat's payment sheet and waits until it is closed; `false` where it can't be opened. How it was closed is not told:
 * whether something was paid is the server's to find out.
 */
export async function paySheet(address: string | null | undefined, sheet: WechatSheet): Promise<boolean> {
  const wx = await sdk(address)
  if (!wx) return false
  return new Promise((done) => {
    wx.chooseWXPay({
      timestamp: sheet.time_stamp,
      nonceStr: sheet.nonce_str,
      package: sheet.package,
      signType: sheet.sign_type,
      paySign: sheet.pay_sign,
      complete: () => done(true),
    })
  })
}
