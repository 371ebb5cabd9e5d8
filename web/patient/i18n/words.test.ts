import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as together from './en'
import { pay as enPay } from './en/pay'
import { book } from './zh/book'
import { core } from './zh/core'
import { desk } from './zh/desk'
import { home } from './zh/home'
import { own } from './zh/own'
import { pay } from './zh/pay'
import { person } from './zh/person'
import { rush } from './zh/rush'
import { wait } from './zh/wait'

const zh = { core, home, book, desk, own, pay, person, rush, wait }
const en = { ...together, pay: enPay }
const web = join(import.meta.dirname, '../..')

function* sources(dir: string): Generator<string> {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name)
    if (statSync(path).isDirectory()) {
      if (!['i18n', 'test', 'dist', 'node_modules'].includes(name)) yield* sources(path)
    } else if (/\.(ts|vue)$/.test(name) && !/\.(test|d)\.ts$/.test(name)) yield path
  }
}

const read = (path: string): string =>
  readFileSync(path, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/^\s*\/\/.*$/gm, '')

const names = (text: string): string[] =>
  [...new Set([...text.matchAll(/\{(\w+)/g)].map((match) => match[1] ?? ''))].sort()

const parts = Object.keys(zh) as (keyof typeof zh)[]

describe.each(parts)('the words of %s', (part) => {
  const left: Record<string, string> = zh[part]
  const right: Record<string, string> = en[part]

  it('are the same in both languages', () => {
    expect(Object.keys(right).sort()).toEqual(Object.keys(left).sort())
  })

  it('have the same arguments, and nobody left a text empty', () => {
    for (const [key, text] of Object.entries(left)) {
      expect(names(right[key] ?? ''), key).toEqual(names(text))
      expect(text.trim(), key).not.toBe('')
      expect(right[key]?.trim(), key).not.toBe('')
    }
  })

  it('are not mixed up', () => {
    for (const [key, text] of Object.entries(right)) {
      // The names of the languages are written in themselves.
      if (/^me\.(zh|language)$|^home\.other_language$/.test(key)) continue
      expect(text, key).not.toMatch(/\p{Script=Han}/u)
    }
  })
})

it('the page says before the program is there what the screens say then', () => {
  const page = readFileSync(join(web, 'patient/index.html'), 'utf8')
  for (const words of [zh.core, en.core]) {
    expect(page).toContain(`'${words['dept.title']}'`)
    expect(page).toContain(`'${words['app.loading']}'`)
  }
})

describe('the sources', () => {
  const files = [...sources(join(web, 'patient')), ...sources(join(web, 'shared'))]

  it('hold no Chinese outside the dictionaries', () => {
    const found = files.filter((path) => /\p{Script=Han}/u.test(read(path)))
    expect(found).toEqual([])
  })

  it('use every word', () => {
    const all = files.map(read).join('\n')
    const unused = Object.values(zh)
      .flatMap((words) => Object.keys(words))
      .filter((key) => {
        if (all.includes(`'${key}'`)) return false
        // Keys that are put together: `state.${…}`, 'err.' with a code from the server.
        const group = key.slice(0, key.lastIndexOf('.') + 1)
        return !all.includes(`\`${group}$`)
      })
    expect(unused).toEqual([])
  })
})
