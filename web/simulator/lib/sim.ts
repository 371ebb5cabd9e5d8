/** The simulator's own interface, typed. Always the same origin: each phone speaks to the simulator under its own host. */

export interface Line {
  label: string
  value: string
}

export interface ChatItem {
  id: number
  at_ms: number
  from: 'me' | 'account' | 'system'
  kind: string
  via?: string
  text?: string
  title?: string
  url?: string
  image?: string
  lines?: Line[]
  tail?: string
}

export interface Notice {
  id: number
  at_ms: number
  kind: string
  account: string
  title: string
  text: string
  url: string
}

export interface Sms {
  biz_id: string
  at_ms: number
  sign: string
  text: string
}

export interface MenuButton {
  name: string
  type?: string
  key?: string
  url?: string
  sub_button?: readonly MenuButton[]
}

export interface Account {
  appid: string
  gh_id: string
  name: string
  mode: string
  format: string
  callback_url: string
  followers: number
  menu: { button: MenuButton[] } | null
}

export interface PhoneAccount {
  account: string
  name: string
  openid: string
  following: boolean
  muted: boolean
}

export interface Phone {
  id: string
  host: string
  name: string
  lang: 'zh' | 'en'
  phone_number: string
  accounts: PhoneAccount[]
}

export interface Faults {
  slow_ms: number
  http_5xx_rate: number
  busy_rate: number
  reset_after_accept: number
  token_expired: number
  rate_limited: boolean
  paths: string[]
  duplicate_push: number
  reorder_push: boolean
  forge_push: boolean
  unknown_fields: boolean
  clock_skew_ms: number
  template_outcome: 'success' | 'user_block' | 'system_failed'
  template_event: 'mixed' | 'before' | 'after' | 'never'
  sms_fail: string
  sms_lost: boolean
  snapshot_user: boolean
}

export interface State {
  now_ms: number
  product_base: string
  accounts: Account[]
  phones: Phone[]
  faults: Faults
}

export interface Code {
  account: string
  url: string
  scene: string | number
  permanent: boolean
  expired: boolean
}

/** What an act of the person led to. */
export interface Outcome {
  outcome: string
  open?: string
  text?: string
  account?: string
}

/** A refusal of the simulator, or a network that does not answer (`offline`). */
export class SimError extends Error {
  constructor(
    readonly code: string,
    detail: string,
  ) {
    super(detail)
  }
}

export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  let response: Response
  try {
    response = await fetch(`/sim/v1${path}`, {
      method,
      body: body === undefined ? undefined : body instanceof FormData ? body : JSON.stringify(body),
    })
  } catch {
    throw new SimError('offline', '')
  }
  const answer = (await response.json().catch(() => ({}))) as { code?: string; detail?: string }
  if (!response.ok) throw new SimError(answer.code ?? 'unknown', answer.detail ?? String(response.status))
  return answer as T
}

export const get = <T>(path: string): Promise<T> => call<T>('GET', path)
export const post = <T>(path: string, body: unknown = {}): Promise<T> => call<T>('POST', path, body)

/** Listens until what it gives is called; reconnects by itself. `hello`: connected (again); `lost`: not any more. */
export function listen(path: string, heard: (kind: string, data: unknown) => void): () => void {
  const source = new EventSource(`/sim/v1${path}`)
  const kinds = ['hello', 'reload', 'chat', 'notice', 'sms', 'follow', 'menu', 'typing', 'phones', 'faults']
  for (const kind of kinds) {
    source.addEventListener(kind, (event: MessageEvent<string>) => {
      const message = JSON.parse(event.data) as { data?: unknown }
      heard(kind, message.data)
    })
  }
  source.addEventListener('error', () => heard('lost', null))
  return () => source.close()
}
