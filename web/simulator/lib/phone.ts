/** The state of one phone: loaded once, kept up to date by the simulator's live stream. */
import { computed, reactive, readonly, ref } from 'vue'
import { setLang } from '@shared/i18n/i18n'
import {
  get,
  listen,
  post,
  type ChatItem,
  type Notice,
  type Outcome,
  type Phone,
  type Sms,
  type State,
} from './sim'

const state = ref<State>()
const phoneId = ref('')
const chats = reactive<Record<string, ChatItem[]>>({})
const notices = ref<Notice[]>([])
const messages = ref<Sms[]>([])
const typing = reactive<Record<string, boolean>>({})
/** Unread entries per account; `sms` for messages. */
const unread = reactive<Record<string, number>>({})
const banner = ref<Notice>()
const lost = ref(false)
/** The simulator's clock minus the browser's. */
const skew = ref(0)
const tick = ref(Date.now())

let stop: (() => void) | undefined
let hide: ReturnType<typeof setTimeout> | undefined

/** Loads one after the other: of two at once, the older answer could come last. */
let loading: Promise<void> = Promise.resolve()
let loads = 0
/** What the stream brought meanwhile: the answer under way may be older, and would wipe it out. */
let later: [kind: string, data: unknown][] = []

function load(): Promise<void> {
  loads += 1
  const done = loading.then(ask).finally(() => {
    loads -= 1
    if (loads > 0) return
    const waited = later
    later = []
    for (const [kind, data] of waited) take(kind, data)
  })
  loading = done.catch(() => undefined)
  return done
}

async function ask(): Promise<void> {
  const id = phoneId.value
  const [now, ring, sms] = await Promise.all([
    get<State>('/state'),
    get<{ items: Notice[] }>(`/phones/${id}/notices`),
    get<{ items: Sms[] }>(`/phones/${id}/sms`),
  ])
  state.value = now
  skew.value = now.now_ms - Date.now()
  notices.value = ring.items
  messages.value = sms.items
  await Promise.all(
    now.accounts.map(async (account) => {
      const chat = await get<{ items: ChatItem[] }>(`/phones/${id}/chat?account=${account.appid}`)
      chats[account.appid] = chat.items
    }),
  )
  lost.value = false
  await setLang(phone.value?.lang ?? 'zh')
}

function heard(kind: string, data: unknown): void {
  if (loads > 0 && (kind === 'chat' || kind === 'notice' || kind === 'sms')) later.push([kind, data])
  else take(kind, data)
}

function take(kind: string, data: unknown): void {
  switch (kind) {
    case 'chat': {
      const { account, item } = data as { account: string; item: ChatItem }
      const list = (chats[account] ??= [])
      if (!list.some((known) => known.id === item.id)) list.push(item)
      typing[account] = false
      if (item.from !== 'me' && openChat.value !== account) unread[account] = (unread[account] ?? 0) + 1
      break
    }
    case 'notice': {
      const notice = data as Notice
      if (!notices.value.some((known) => known.id === notice.id)) notices.value = [...notices.value, notice]
      show(notice)
      break
    }
    case 'sms':
      if (!messages.value.some((known) => known.biz_id === (data as Sms).biz_id))
        messages.value = [...messages.value, data as Sms]
      unread.sms = (unread.sms ?? 0) + 1
      break
    case 'typing': {
      const { account, on } = data as { account: string; on: boolean }
      typing[account] = on
      break
    }
    case 'lost':
      lost.value = true
      break
    default:
      load().catch(() => (lost.value = true))
  }
}

/** A notice slides in, unless its chat is open anyway. */
function show(notice: Notice): void {
  if (notice.account && notice.account === openChat.value) return
  banner.value = notice
  clearTimeout(hide)
  hide = setTimeout(() => (banner.value = undefined), 8000)
}

const phone = computed<Phone | undefined>(() => state.value?.phones.find((one) => one.id === phoneId.value))
/** The account whose chat is on the screen. */
const openChat = ref('')

/** Starts once, for the phone that the page's host name says. */
export async function start(id: string): Promise<void> {
  phoneId.value = id
  stop?.()
  stop = listen(`/phones/${id}/events`, heard)
  setInterval(() => (tick.value = Date.now()), 5000)
  await load()
}

export function usePhone() {
  return {
    state: readonly(state),
    phone,
    chats,
    notices,
    messages,
    typing,
    unread,
    banner,
    lost,
    openChat,
    /** The time on the phone. */
    now: computed(() => tick.value + skew.value),
    reload: load,
    act: (action: string, body: Record<string, unknown>): Promise<Outcome> =>
      post<Outcome>(`/phones/${phoneId.value}/${action}`, body),
    path: (rest: string): string => `/phones/${phoneId.value}${rest}`,
  }
}
