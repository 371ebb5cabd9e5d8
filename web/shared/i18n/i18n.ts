/**
 * Two languages, typed. The Chinese dictionary is part of the program and is what the types are made from; the English
 * one is loaded when it is wanted. A key that is missing on either side does not compile.
 *
 * Texts hold arguments in braces: `{n}`. `{n:doctor|doctors}` chooses by number: the first for one, else the second.
 */
import { shallowRef, type ShallowRef } from 'vue'

export type Lang = 'zh' | 'en'

/** A text that the server gives in both languages. */
export interface Text2 {
  zh: string
  en: string
}

/** The names of the arguments of a text. */
export type ArgName<S extends string> = S extends `${string}{${infer K}}${infer Rest}`
  ? (K extends `${infer Name}:${string}` ? Name : K) | ArgName<Rest>
  : never

type ArgsOf<S extends string> = [ArgName<S>] extends [never]
  ? []
  : [args: Readonly<Record<ArgName<S>, string | number>>]

/** What the second dictionary must look like: the same keys, any text. */
export type Mirror<Z extends object> = { readonly [K in keyof Z]: string }

/** Puts the arguments of a text in their places. */
export function fill(text: string, args: Readonly<Record<string, string | number>> = {}): string {
  return text.replace(
    /\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g,
    (whole, name: string, one?: string, other?: string) => {
      const value = args[name]
      if (value === undefined) return whole
      if (one === undefined) return String(value)
      return Number(value) === 1 ? one : (other ?? '')
    },
  )
}

/** The language of everything on the page; all dictionaries follow it. */
export const lang: ShallowRef<Lang> = shallowRef('zh')

const loaders: (() => Promise<void>)[] = []

/**
 * Switches the page's language once the words for it are there, so that nothing is ever half in one language and half
 * in the other. Fails when they can't be loaded; the page then stays as it was.
 */
export async function setLang(wanted: Lang): Promise<void> {
  if (wanted === 'en') await Promise.all(loaders.map((load) => load()))
  lang.value = wanted
  document.documentElement.lang = wanted === 'zh' ? 'zh-CN' : 'en'
}

/** Resolves when all dictionaries that are there have the words of the page's language. */
export async function wordsReady(): Promise<void> {
  if (lang.value === 'en') await Promise.all(loaders.map((load) => load()))
}

/** The reader of one dictionary. */
export interface Reader<Z extends Readonly<Record<string, string>>> {
  /** The text of a key in the page's language. Reactive in templates and computed values. */
  t: <K extends keyof Z & string>(key: K, ...args: ArgsOf<Z[K]>) => string
  /** The text of a key that comes from outside (a problem's code, say), where there is one. */
  look: (key: string, args?: Readonly<Record<string, string | number>>) => string | undefined
}

/** Makes the reader of a dictionary. `loadEn` brings its English side. */
export function dictionary<const Z extends Readonly<Record<string, string>>>(
  zh: Z,
  loadEn: () => Promise<Mirror<Z>>,
): Reader<Z> {
  const english: ShallowRef<Mirror<Z> | undefined> = shallowRef()
  const load = async (): Promise<void> => {
    english.value ??= await loadEn()
  }
  loaders.push(load)
  // One that arrives with a later screen, when the page already is in English; see wordsReady.
  if (lang.value === 'en') load().catch(() => undefined)
  const words = (): Mirror<Z> => (lang.value === 'en' ? (english.value ?? zh) : zh)
  return {
    t: (key, ...args) => fill(words()[key], args[0]),
    look: (key, args) =>
      Object.prototype.hasOwnProperty.call(zh, key)
        ? fill(words()[key as keyof Z & string], args)
        : undefined,
  }
}

/** A text of the server in the page's language. */
export function pick(text: Text2): string {
  return text[lang.value]
}

/**
 * A Chinese name for the reader: as it is in Chinese; in English pinyin with the characters in brackets, since it is
 * the characters that stand on the door.
 */
export function personName(text: Text2): string {
  if (lang.value === 'zh' || text.en === text.zh) return text.zh
  return text.en.includes(text.zh) ? text.en : `${text.en} (${text.zh})`
}

/** The language to begin with: what was chosen before on this phone, else what WeChat or the browser says. */
export function firstLang(): Lang {
  const kept = read('xl.lang')
  if (kept === 'zh' || kept === 'en') return kept
  const wechat = /Language\/([A-Za-z]+)/.exec(navigator.userAgent)?.[1]
  return (wechat ?? navigator.language).toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

/** Reads from localStorage, which some in-app browsers refuse. */
export function read(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

/** Writes to localStorage where that is allowed; `null` removes. */
export function keep(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key)
    else localStorage.setItem(key, value)
  } catch {
    // Private mode: the choice then lasts as long as the page.
  }
}
