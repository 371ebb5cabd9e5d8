/** The payment sheet: what WeChat shows before the fingerprint, and what the person can do with it. */
import { post } from './sim'

/** An order as the sheet shows it. */
export interface Sheet {
  out_trade_no: string
  prepay_id: string
  description: string
  /** In fen. */
  total: number
  state: string
  /** Neither paid nor closed nor over. */
  open: boolean
}

/** What the page hears: paid, not paid, or that the person went away (who may have paid all the same). */
export type Paid = 'ok' | 'cancel' | 'fail'

/** The sheet that a page asks for; refused where the merchant's signature does not fit. */
export function sheetOf(appId: string, params: Record<string, unknown>): Promise<Sheet> {
  const text = (name: string): string => String(params[name] ?? '')
  return post<Sheet>('/wechatpay/sheet', {
    page: {
      appId,
      timestamp: text('timestamp') || text('timeStamp'),
      nonceStr: text('nonceStr'),
      package: text('package'),
      signType: text('signType'),
      paySign: text('paySign'),
    },
  })
}

/** The sheet of a scanned code. */
export const sheetOfCode = (code: string): Promise<Sheet> => post<Sheet>('/wechatpay/sheet', { code })

/** Pays as `openid`; `late` although the order is closed, as from a sheet that stood open meanwhile. */
export const pay = (sheet: Sheet, openid: string | undefined, late: boolean): Promise<unknown> =>
  post(`/wechatpay/orders/${sheet.prepay_id}/pay`, { openid, late })
