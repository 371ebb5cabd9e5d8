import { ApiError } from '@shared/api'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sendOnce, WAITS_MS } from './send'

const lost = (): ApiError => new ApiError({ status: 0, code: 'network' })

beforeEach(() => {
  vi.useFakeTimers()
  sessionStorage.clear()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('sending once', () => {
  it('asks again with the same key after a lost answer', async () => {
    const keys: string[] = []
    const retrying = vi.fn()
    const sent = sendOnce(
      'book.a',
      (key) => {
        keys.push(key)
        return keys.length < 3 ? Promise.reject(lost()) : Promise.resolve('booked')
      },
      retrying,
    )
    await vi.advanceTimersByTimeAsync(WAITS_MS[0] ?? 0)
    await vi.advanceTimersByTimeAsync(WAITS_MS[1] ?? 0)
    expect(await sent).toBe('booked')
    expect(new Set(keys).size).toBe(1)
    expect(retrying).toHaveBeenCalledTimes(2)
  })

  it('keeps the key when it gives up, so that pressing again can’t book twice', async () => {
    const keys: string[] = []
    const request = (key: string): Promise<string> => {
      keys.push(key)
      return Promise.reject(lost())
    }
    const first = sendOnce('book.b', request).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(WAITS_MS.reduce((sum, wait) => sum + wait, 0))
    expect(await first).toBeInstanceOf(ApiError)
    expect(keys).toHaveLength(WAITS_MS.length + 1)
    await sendOnce('book.b', (key) => {
      keys.push(key)
      return Promise.resolve('booked')
    })
    expect(new Set(keys).size).toBe(1)
  })

  it('ends the intent with a definite answer', async () => {
    const keys: string[] = []
    const refuse = (key: string): Promise<string> => {
      keys.push(key)
      return Promise.reject(new ApiError({ status: 409, code: 'slot_full' }))
    }
    await expect(sendOnce('book.c', refuse)).rejects.toThrow('slot_full')
    await expect(sendOnce('book.c', refuse)).rejects.toThrow('slot_full')
    expect(new Set(keys).size).toBe(2)
  })

  it('waits as long as a busy server asks for', async () => {
    let tries = 0
    const sent = sendOnce('book.d', () => {
      tries += 1
      return tries === 1
        ? Promise.reject(new ApiError({ status: 503, code: 'too_busy', retry_after_s: 5 }))
        : Promise.resolve('booked')
    })
    await vi.advanceTimersByTimeAsync(4_000)
    expect(tries).toBe(1)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await sent).toBe('booked')
  })

  it('goes on at once when the network is back', async () => {
    let tries = 0
    const sent = sendOnce('book.e', () => {
      tries += 1
      return tries === 1 ? Promise.reject(lost()) : Promise.resolve('booked')
    })
    await vi.advanceTimersByTimeAsync(10)
    dispatchEvent(new Event('online'))
    await vi.advanceTimersByTimeAsync(0)
    expect(await sent).toBe('booked')
  })
})
