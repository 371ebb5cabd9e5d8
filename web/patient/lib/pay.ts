/** Which ways to pay suit the browser that the page is in, and how each is begun. */
import { type Payment, type PaymentWay } from '@shared/api'
import { inWeChat } from '@shared/agent'
import { paySheet } from '@shared/wechat'
import { payApi } from './pay-api'
import { hospital, session } from './session'

/** Ways that the page can begin; the desk's are not among them. */
export type PageWay = Exclude<PaymentWay, 'insurance' | 'cash' | 'card'>

/** The words of a way, without `pay.way_`. */
export const WORDS: Record<PaymentWay, string> = {
  wechat_jsapi: 'wechat',
  wechat_h5: 'wechat',
  wechat_native: 'wechat_code',
  alipay_wap: 'alipay',
  alipay_code: 'alipay_code',
  insurance: 'insurance',
  cash: 'cash',
  card: 'card',
}

/** In WeChat its own sheet; on another phone the platforms' pages; at a desk codes for the phone. */
export function suiting(offered: readonly PaymentWay[]): PageWay[] {
  const chat = inWeChat() || session.value?.channel === 'wechat'
  const touch = matchMedia('(pointer: coarse)').matches
  const wanted: PageWay[] = chat
    ? ['wechat_jsapi']
    : touch
      ? ['wechat_h5', 'alipay_wap']
      : ['wechat_native', 'alipay_wap', 'alipay_code']
  return wanted.filter((way) => offered.includes(way))
}

/** What became of opening what a payment asks for. */
export type Opened = 'closed' | 'left' | 'code' | 'impossible' | 'over'

/** Opens the sheet, leaves for the platform's page, or says that there is a code to show. */
export async function openSheet(payment: Payment): Promise<Opened> {
  const sheet = payment.sheet
  if (sheet?.wechat) {
    const opened = await paySheet(hospital.value?.js_sdk_url, sheet.wechat)
    return opened ? 'closed' : 'impossible'
  }
  if (sheet?.url) {
    const back = payment.way === 'wechat_h5' ? `&redirect_url=${encodeURIComponent(location.href)}` : ''
    location.assign(sheet.url + back)
    return 'left'
  }
  return sheet?.code ? 'code' : 'over'
}

/** Tells the server that the sheet is gone: it asks the platform at once. */
export const sheetClosed = (payment: Payment, key: string): Promise<Payment> =>
  payApi.paymentSheetClosed(payment.id, key)
