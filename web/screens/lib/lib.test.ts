import { describe, expect, it } from 'vitest'
import { Scan } from '../kiosk/scanner'
import { split } from './feed'
import { outdated } from './heart'
import { stateOf } from './queues'
import { fresh } from './voice'
import { where } from './where'

describe('the address', () => {
  it('names the view and of what, under a hospital of its own, too', () => {
    expect(where('/screens/area/are_1')).toEqual({ view: 'area', of: 'are_1' })
    expect(where('/screens/experts')).toEqual({ view: 'experts', of: '' })
    for (const path of ['/screens/', '/screens', '/screens/nothing'])
      expect(where(path)).toEqual({ view: 'device', of: '' })
  })
})

describe('the stream', () => {
  it('is cut into events wherever it was cut on the way', () => {
    const whole =
      ': ping\n\nevent: snapshot\ndata: {"a":1}\n\nevent: snapshot\r\ndata: {"b":\r\ndata: 2}\r\n\r\nevent: snap'
    const all: string[] = []
    let rest = ''
    for (const byte of whole) {
      const cut = split(rest + byte)
      rest = cut.rest
      all.push(...cut.events.map((one) => `${one.name} ${one.data}`))
    }
    expect(all).toEqual(['snapshot {"a":1}', 'snapshot {"b":\n2}'])
    expect(rest).toBe('event: snap')
  })
})

describe('the heartbeat', () => {
  it('asks for a reload when the server has another build, and only then', () => {
    expect(outdated('abc', 'def')).toBe(true)
    expect(outdated('abc', 'abc')).toBe(false)
    expect(outdated('dev', 'def')).toBe(false)
    expect(outdated('abc', undefined)).toBe(false)
    expect(outdated('abc', '')).toBe(false)
  })
})

describe('the voice', () => {
  const call = (ticket_id: string, times: number) => ({
    ticket_id,
    times,
    voice: { zh: ticket_id, en: ticket_id },
  })

  it('says each call once, a recall again, and nothing that was called before it came up', () => {
    const heard = new Map<string, number>()
    expect(fresh([call('a', 1)], heard, true)).toEqual([])
    expect(fresh([call('a', 1), call('b', 1)], heard, false).map((one) => one.ticket_id)).toEqual(['b'])
    expect(fresh([call('a', 2), call('b', 1)], heard, false).map((one) => one.ticket_id)).toEqual(['a'])
    expect(fresh([call('a', 2), call('b', 1)], heard, false)).toEqual([])
  })

  it('does not remember for ever', () => {
    const heard = new Map<string, number>()
    for (let n = 0; n < 600; n += 1) fresh([call(`t${n}`, 1)], heard, false)
    expect(heard.size).toBeLessThan(510)
    expect(fresh([call('t599', 1)], heard, false)).toEqual([])
  })
})

describe('the scanner', () => {
  const type = (scan: Scan, text: string, gap: number, from = 1000): string | undefined => {
    let at = from
    let found: string | undefined
    for (const key of [...text, 'Enter']) {
      at += gap
      found = scan.key(key, at) ?? found
    }
    return found
  }

  it('takes what comes fast and leaves what a person types', () => {
    const scan = new Scan()
    expect(type(scan, 'ABCD1234', 5)).toBe('ABCD1234')
    expect(type(scan, 'ABCD1234', 200, 9000)).toBeUndefined()
    expect(type(scan, 'XY9876', 5, 90_000)).toBe('XY9876')
    expect(type(scan, '1', 5, 99_000)).toBeUndefined()
  })
})

describe('the state of a queue', () => {
  const queue = {
    state: 'open',
    waiting: 3,
    estimate: { low: '2026-11-23T02:15:00Z', high: '2026-11-23T02:20:00Z', low_min: 15, high_min: 20 },
  } as const

  it('is how many and how long, or why it does not move', () => {
    expect(stateOf(queue).en).toBe('3 waiting, about 15\u2060–\u206020 min')
    expect(stateOf({ ...queue, estimate: null }).en).toBe('3 waiting')
    expect(stateOf({ ...queue, waiting: 0 }).en).toBe('0 waiting')
    const paused = { ...queue, state: 'paused', paused_until: '2026-11-23T02:20:00Z' } as const
    expect(stateOf(paused)).toEqual({ zh: '暂停，10:20 恢复', en: 'Paused, back at 10:20' })
    expect(stateOf({ ...queue, state: 'closed' }).en).toBe('Closed')
  })
})
