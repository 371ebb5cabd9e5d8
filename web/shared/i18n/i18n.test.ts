import { describe, expect, it } from 'vitest'
import { dictionary, fill, lang, personName, setLang } from './i18n'

describe('texts with arguments', () => {
  it('puts arguments in their places and leaves unknown braces alone', () => {
    expect(fill('余 {n}', { n: 8 })).toBe('余 8')
    expect(fill('{a}-{b}-{a}', { a: 1, b: 2 })).toBe('1-2-1')
    expect(fill('{unknown}', {})).toBe('{unknown}')
  })

  it('chooses by number', () => {
    const text = '{n} {n:doctor|doctors}'
    expect(fill(text, { n: 1 })).toBe('1 doctor')
    expect(fill(text, { n: 2 })).toBe('2 doctors')
    expect(fill(text, { n: 0 })).toBe('0 doctors')
  })
})

describe('switching the language', () => {
  it('shows English only once its words are there', async () => {
    const { t } = dictionary({ hello: '你好，{name}' }, async () => ({ hello: 'Hello, {name}' }))
    expect(t('hello', { name: 'A' })).toBe('你好，A')
    await setLang('en')
    expect(t('hello', { name: 'A' })).toBe('Hello, A')
    expect(document.documentElement.lang).toBe('en')
    expect(personName({ zh: '李明', en: 'Li Ming' })).toBe('Li Ming (李明)')
    await setLang('zh')
    expect(personName({ zh: '李明', en: 'Li Ming' })).toBe('李明')
  })

  it('stays as it was when the words cannot be loaded', async () => {
    dictionary({ a: '甲' }, () => Promise.reject(new Error('offline')))
    await expect(setLang('en')).rejects.toThrow('offline')
    expect(lang.value).toBe('zh')
  })
})
