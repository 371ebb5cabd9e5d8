/** Who is signed in, and the choices (language, elder mode) that belong to the account and to this phone. */
import { api, onExpired, prefix, wechatSignIn, type Hospital, type Person, type Session } from '@shared/api'
import { firstLang, keep, lang, read, setLang, type Lang } from '@shared/i18n/i18n'
import { inWeChat } from '@shared/agent'
import { computed, ref, shallowRef } from 'vue'
import { forget } from './resource'

export const session = shallowRef<Session>()
export const hospital = shallowRef<Hospital>()
export const elder = ref(document.documentElement.hasAttribute('data-elder'))

export const signedIn = computed(() => session.value?.signed_in === true)
export const persons = computed<Person[]>(() => session.value?.persons ?? [])
export const defaultPerson = computed(
  () => persons.value.find((one) => one.id === session.value?.default_person_id) ?? persons.value[0],
)

/** The hospital's date: from the server, so that a phone with a wrong clock still says "today" rightly. */
export const today = computed(() => hospital.value?.today ?? '')

function showElder(on: boolean): void {
  elder.value = on
  document.documentElement.toggleAttribute('data-elder', on)
}

/** Takes over a fresh session: the account's choices hold where this phone has made none of its own. */
export async function takeSession(fresh: Session): Promise<void> {
  const before = session.value
  if (before?.account_id !== fresh.account_id) forget('mine:')
  session.value = fresh
  // The next opening may then ask for what is theirs before the program is there.
  keep('xl.in', fresh.signed_in ? '1' : null)
  if (!fresh.signed_in) return
  if (read('xl.elder') === null && typeof fresh.elder === 'boolean') showElder(fresh.elder)
  const theirs: Lang = fresh.lang === 'en' ? 'en' : 'zh'
  if (read('xl.lang') === null && theirs !== lang.value) await setLang(theirs).catch(() => undefined)
}

let asking: Promise<void> | undefined

/** Asks who is signed in; several callers at once share one request. Fails like any request. */
export function loadSession(): Promise<void> {
  asking ??= api
    .session()
    .then(takeSession)
    .finally(() => {
      asking = undefined
    })
  return asking
}

let clockOffset = 0

/** Now by the hospital's clock, ms: a phone's own clock may be wrong. */
export const serverNow = (): number => Date.now() + clockOffset

let askingHospital: Promise<void> | undefined

/** Brings the hospital's facts, once; again after a failure, or when `fresh` is wanted. */
export function loadHospital(fresh = false): Promise<void> {
  if (hospital.value && !fresh) return Promise.resolve()
  askingHospital ??= api
    .hospital()
    .then((facts) => {
      hospital.value = facts
      clockOffset = Date.parse(facts.now) - Date.now()
      keep('xl.name', JSON.stringify(facts.short_name))
    })
    .finally(() => {
      askingHospital = undefined
    })
  return askingHospital
}

/** What the page does first: language, elder mode, and word that a session may end. */
export async function begin(): Promise<void> {
  onExpired(() => {
    if (session.value?.signed_in) void loadSession().catch(() => undefined)
  })
  await setLang(firstLang()).catch(() => setLang('zh'))
}

/** Chooses the language, here and for the account. */
export async function chooseLang(wanted: Lang): Promise<void> {
  await setLang(wanted)
  keep('xl.lang', wanted)
  if (signedIn.value) await api.account({ lang: wanted }).then(takeSession, () => undefined)
}

/** Chooses elder or standard mode, here and for the account. */
export async function chooseElder(on: boolean): Promise<void> {
  showElder(on)
  keep('xl.elder', on ? '1' : '0')
  if (signedIn.value) await api.account({ elder: on }).then(takeSession, () => undefined)
}

/**
 * Whether this browser can sign in through WeChat by a redirect: WeChat itself, or a host that frames us (which our content
 * policy allows only where the administrator has named it).
 */
export const canWeChat = computed(
  () => session.value?.wechat_available === true && (inWeChat() || window.parent !== window),
)

/**
 * Begins to sign in and to come back to `to`: by WeChat's redirect where that works, else `undefined` is left for the
 * caller to go to the sign-in page.
 */
export function leaveForWeChat(to: string): boolean {
  if (!canWeChat.value) return false
  location.assign(wechatSignIn(to))
  return true
}

export async function signOut(): Promise<void> {
  await api.signOut()
  forget()
  await loadSession()
}

/** A path of ours from a query, or home: never an address of someone else. */
export function safePath(to: unknown): string {
  if (typeof to !== 'string' || !/^\/(?![/\\])/.test(to)) return '/'
  const base = prefix()
  return base && to.startsWith(`${base}/`) ? to.slice(base.length) : to
}
