import { flushPromises, mount } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'
import FaultBoard from './FaultBoard.vue'
import type { Faults } from '../lib/sim'

const good: Faults = {
  slow_ms: 0,
  http_5xx_rate: 0,
  busy_rate: 0,
  reset_after_accept: 0,
  token_expired: 0,
  rate_limited: false,
  paths: [],
  duplicate_push: 0,
  reorder_push: false,
  forge_push: false,
  unknown_fields: false,
  clock_skew_ms: 0,
  template_outcome: 'success',
  template_event: 'mixed',
  sms_fail: '',
  sms_lost: false,
  snapshot_user: false,
}

function put(answer: () => Response) {
  const sent: unknown[] = []
  vi.stubGlobal('fetch', async (_path: string, init: RequestInit) => {
    sent.push(JSON.parse(String(init.body)))
    return answer()
  })
  return sent
}

describe('the switch board', () => {
  it('names each switch and puts a change into effect at once', async () => {
    const sent = put(() => Response.json(good))
    const board = mount(FaultBoard, { props: { faults: { ...good, snapshot_user: true } } })
    const label = board.findAll('label').find((one) => one.text().includes('45009'))
    await label?.get('input').setValue(true)
    await flushPromises()
    expect(sent).toEqual([{ ...good, snapshot_user: true, rate_limited: true }])
    expect(board.emitted('saved')).toHaveLength(1)
  })

  it('puts everything right with one button', async () => {
    const sent = put(() => Response.json(good))
    const board = mount(FaultBoard, { props: { faults: { ...good, slow_ms: 500, sms_lost: true } } })
    expect(board.text()).toContain('2')
    await board.get('button').trigger('click')
    await flushPromises()
    expect(sent).toEqual([{}])
    expect(
      mount(FaultBoard, { props: { faults: good } })
        .find('button')
        .exists(),
    ).toBe(false)
  })

  it('says why a value is refused', async () => {
    put(() => Response.json({ code: 'invalid_field', detail: 'slow_ms: at most 60000' }, { status: 400 }))
    const board = mount(FaultBoard, { props: { faults: good } })
    await board.get('input[type=number]').setValue('99999999')
    await flushPromises()
    expect(board.get('[role=alert]').text()).toContain('slow_ms: at most 60000')
    expect(board.emitted('saved')).toBeUndefined()
  })
})
