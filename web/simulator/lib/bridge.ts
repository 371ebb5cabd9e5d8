/**
 * The native side of the JS-SDK: a framed page asks through `postMessage`, the phone does it or lets the person do it.
 * Only the frame that the phone itself has opened is heard.
 */
import { sheetOf, type Paid, type Sheet } from './pay'
import { post, SimError } from './sim'

/** A question to the person; the answer goes back to the page. `undefined` means that they gave up. */
export interface Hands {
  scan(): Promise<string | undefined>
  chooseImages(count: number): Promise<File[]>
  preview(url: string): void
  place(name: string, address: string): void
  close(): void
  /** The page's title and, where the page tells, its address now. */
  title(text: string, url?: string): void
  location(): { latitude: number; longitude: number }
  upload(file: File): Promise<string>
  pay(sheet: Sheet): Promise<Paid>
}

interface Asked {
  xinglinPhone: 1
  id: number
  call: string
  params: Record<string, unknown>
}

type Result = Record<string, unknown> & { errMsg: string }

const done = ['hideMenuItems', 'showMenuItems', 'hideOptionMenu', 'showOptionMenu']
const shares = ['updateAppMessageShareData', 'updateTimelineShareData']

/** Listens to `frame`; gives what ends it. */
export function bridge(frame: () => Window | null | undefined, hands: Hands): () => void {
  const images = new Map<string, File>()
  let next = 1
  // The payment sheet belongs to the application that the page has signed in as.
  let appId = ''

  async function answer(call: string, params: Record<string, unknown>): Promise<Result> {
    const ok = (more: Record<string, unknown> = {}): Result => ({ errMsg: `${call}:ok`, ...more })
    const fail = (why: string): Result => ({ errMsg: `${call}:fail ${why}` })
    const text = (name: string): string => (typeof params[name] === 'string' ? params[name] : '')
    switch (call) {
      case 'config':
        appId = text('appId')
        return config(params)
      case 'checkJsApi':
        return ok({
          checkResult: Object.fromEntries(list(params.jsApiList).map((name) => [name, true])),
        })
      case 'scanQRCode': {
        const read = await hands.scan()
        return read === undefined ? { errMsg: `${call}:cancel` } : ok({ resultStr: read })
      }
      case 'chooseWXPay': {
        const outcome = await hands.pay(await sheetOf(appId, params))
        if (outcome === 'fail') return fail('')
        return outcome === 'ok' ? ok() : { errMsg: `${call}:cancel` }
      }
      case 'chooseImage': {
        const files = await hands.chooseImages(typeof params.count === 'number' ? params.count : 9)
        if (files.length === 0) return { errMsg: `${call}:cancel` }
        const localIds = files.map((file) => {
          const id = `wxLocalResource://${next++}`
          images.set(id, file)
          return id
        })
        return ok({ localIds })
      }
      case 'getLocalImgData': {
        const file = images.get(text('localId'))
        return file ? ok({ localData: await dataUrl(file) }) : fail('localId')
      }
      case 'uploadImage': {
        const file = images.get(text('localId'))
        return file ? ok({ serverId: await hands.upload(file) }) : fail('localId')
      }
      case 'previewImage':
        hands.preview(text('current') || list(params.urls)[0] || '')
        return ok()
      case 'getLocation':
        return ok({ ...hands.location(), speed: 0, accuracy: 30 })
      case 'openLocation':
        hands.place(text('name'), text('address'))
        return ok()
      case 'getNetworkType':
        return ok({ networkType: 'wifi' })
      case 'closeWindow':
        hands.close()
        return ok()
      case 'title':
        hands.title(text('title'), text('url') || undefined)
        return ok()
      case 'hello':
        return ok()
      default:
        if (done.includes(call) || shares.includes(call)) return ok()
        return fail('function_not_exist')
    }
  }

  async function heard(event: MessageEvent<unknown>): Promise<void> {
    const source = frame()
    const asked = event.data as Asked | null
    if (!source || event.source !== source || typeof asked !== 'object' || asked?.xinglinPhone !== 1) return
    let result: Result
    try {
      result = await answer(asked.call, asked.params ?? {})
    } catch (error) {
      result = { errMsg: `${asked.call}:fail ${error instanceof SimError ? error.code : 'error'}` }
    }
    source.postMessage({ xinglinPhone: 1, id: asked.id, result }, event.origin)
  }

  const listener = (event: MessageEvent<unknown>): void => void heard(event)
  window.addEventListener('message', listener)
  return () => window.removeEventListener('message', listener)
}

async function config(params: Record<string, unknown>): Promise<Result> {
  const checked = await post<{ ok: boolean; error?: string }>('/js-sdk', {
    app_id: String(params.appId ?? ''),
    timestamp: params.timestamp ?? '',
    nonce_str: String(params.nonceStr ?? ''),
    signature: String(params.signature ?? ''),
    url: String(params.url ?? ''),
  })
  return { errMsg: checked.ok ? 'config:ok' : (checked.error ?? 'config:fail') }
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
}

function dataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.onerror = () => reject(new Error('unreadable'))
    reader.readAsDataURL(file)
  })
}
