import { afterEach, describe, expect, it, vi } from 'vitest'
import { bridge, type Hands } from './bridge'

interface Sent {
  id: number
  result: Record<string, unknown>
}

function page() {
  const sent: Sent[] = []
  const waiting: (() => void)[] = []
  const target = {
    postMessage: (message: Sent) => {
      sent.push(message)
      waiting.shift()?.()
    },
  } as unknown as Window
  const ask = (call: string, params: unknown = {}, source: unknown = target): void => {
    window.dispatchEvent(
      new MessageEvent('message', {
        data: { xinglinPhone: 1, id: sent.length + 1, call, params },
        source: source as Window,
        origin: 'http://p1.localhost:8080',
      }),
    )
  }
  const answer = async (call: string, params?: unknown): Promise<Record<string, unknown>> => {
    const heard = new Promise<void>((resolve) => waiting.push(resolve))
    ask(call, params)
    await heard
    return sent.at(-1)?.result ?? {}
  }
  return { target, sent, ask, answer }
}

function hands(change: Partial<Hands> = {}): Hands {
  return {
    scan: async () => 'CODE',
    chooseImages: async () => [new File(['abc'], 'a.png', { type: 'image/png' })],
    preview: vi.fn(),
    place: vi.fn(),
    close: vi.fn(),
    title: vi.fn(),
    location: () => ({ latitude: 30, longitude: 120 }),
    upload: async () => 'server-1',
    pay: async () => 'ok',
    ...change,
  }
}

let stop: (() => void) | undefined
afterEach(() => stop?.())

describe('the native side of the JS-SDK', () => {
  it('does what the page asks and tells how it went', async () => {
    const own = hands()
    const { target, answer } = page()
    stop = bridge(() => target, own)
    expect(await answer('scanQRCode', { needResult: 1 })).toEqual({
      errMsg: 'scanQRCode:ok',
      resultStr: 'CODE',
    })
    expect(await answer('getLocation')).toMatchObject({
      errMsg: 'getLocation:ok',
      latitude: 30,
      longitude: 120,
    })
    const chosen = await answer('chooseImage', { count: 1 })
    const [localId] = chosen.localIds as string[]
    expect(await answer('getLocalImgData', { localId })).toMatchObject({
      localData: 'data:image/png;base64,YWJj',
    })
    expect(await answer('uploadImage', { localId })).toEqual({
      errMsg: 'uploadImage:ok',
      serverId: 'server-1',
    })
    expect(await answer('uploadImage', { localId: 'other' })).toEqual({ errMsg: 'uploadImage:fail localId' })
    expect(await answer('hideMenuItems', { menuList: [] })).toEqual({ errMsg: 'hideMenuItems:ok' })
    expect(await answer('startRecord')).toEqual({ errMsg: 'startRecord:fail function_not_exist' })
    await answer('closeWindow')
    expect(own.close).toHaveBeenCalledOnce()
  })

  it('says so when the person gives up', async () => {
    const { target, answer } = page()
    stop = bridge(() => target, hands({ scan: async () => undefined, chooseImages: async () => [] }))
    expect(await answer('scanQRCode')).toEqual({ errMsg: 'scanQRCode:cancel' })
    expect(await answer('chooseImage')).toEqual({ errMsg: 'chooseImage:cancel' })
  })

  it('has the simulator check the signature of a page', async () => {
    const asked = vi.fn(async () => Response.json({ ok: false, error: 'config:invalid signature' }))
    vi.stubGlobal('fetch', asked)
    const { target, answer } = page()
    stop = bridge(() => target, hands())
    const config = {
      appId: 'wx1',
      timestamp: 5,
      nonceStr: 'n',
      signature: 's',
      url: 'http://p1.localhost:8080/',
    }
    expect(await answer('config', config)).toEqual({ errMsg: 'config:invalid signature' })
    expect(asked).toHaveBeenCalledWith('/sim/v1/js-sdk', expect.objectContaining({ method: 'POST' }))
    asked.mockImplementation(async () => Response.json({ ok: true }))
    expect(await answer('config', config)).toEqual({ errMsg: 'config:ok' })
  })

  it('shows the payment sheet only for a request that the merchant has signed', async () => {
    const sheet = {
      out_trade_no: 'n',
      prepay_id: 'wx1',
      description: 'd',
      total: 1400,
      state: 'NOTPAY',
      open: true,
    }
    const asked = vi.fn(async () => Response.json({ ok: true }))
    vi.stubGlobal('fetch', asked)
    const pay = vi.fn(async () => 'ok' as const)
    const { target, answer } = page()
    stop = bridge(() => target, hands({ pay }))
    await answer('config', { appId: 'wx1' })
    asked.mockImplementation(async () => Response.json({ code: 'sign', detail: '' }, { status: 409 }))
    const signed = {
      timestamp: '5',
      nonceStr: 'n',
      package: 'prepay_id=wx1',
      signType: 'RSA',
      paySign: 's',
    }
    expect(await answer('chooseWXPay', signed)).toEqual({ errMsg: 'chooseWXPay:fail sign' })
    expect(pay).not.toHaveBeenCalled()
    asked.mockImplementation(async () => Response.json(sheet))
    expect(await answer('chooseWXPay', signed)).toEqual({ errMsg: 'chooseWXPay:ok' })
    expect(pay).toHaveBeenCalledWith(sheet)
    expect(asked).toHaveBeenLastCalledWith(
      '/sim/v1/wechatpay/sheet',
      expect.objectContaining({ body: JSON.stringify({ page: { appId: 'wx1', ...signed } }) }),
    )
    pay.mockImplementation(async () => 'cancel' as never)
    expect(await answer('chooseWXPay', signed)).toEqual({ errMsg: 'chooseWXPay:cancel' })
  })

  it('hears nobody but its own frame', async () => {
    const own = hands()
    const { target, ask, sent, answer } = page()
    stop = bridge(() => target, own)
    ask('closeWindow', {}, { postMessage: vi.fn() })
    window.dispatchEvent(new MessageEvent('message', { data: 'closeWindow', source: target }))
    await answer('hello')
    expect(own.close).not.toHaveBeenCalled()
    expect(sent).toHaveLength(1)
  })
})
