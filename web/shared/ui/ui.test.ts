import { createApp, defineComponent, h, nextTick, ref } from 'vue'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { allByRole, byRole, until } from '../test/roles'
import Btn from './Btn.vue'
import DateStrip from './DateStrip.vue'
import QrCode from './QrCode.vue'
import Sheet from './Sheet.vue'

let unmount: (() => void) | undefined
afterEach(() => {
  unmount?.()
  unmount = undefined
})

function show(render: () => unknown): void {
  document.body.innerHTML = '<div id="app"></div>'
  const app = createApp(defineComponent({ setup: () => render as () => ReturnType<typeof h> }))
  app.mount('#app')
  unmount = () => app.unmount()
}

describe('a button', () => {
  it('takes no second tap while it is busy, and says so', () => {
    const press = vi.fn()
    show(() => h(Btn, { busy: true, busyText: 'Saving', onPress: press }, () => 'Save'))
    const button = byRole('button', 'Saving')
    button.click()
    expect(press).not.toHaveBeenCalled()
    expect(button.getAttribute('aria-busy')).toBe('true')
  })

  it('does not submit its form twice', () => {
    const submit = vi.fn((event: Event) => event.preventDefault())
    show(() => h('form', { onSubmit: submit }, [h(Btn, { type: 'submit', busy: true }, () => 'Save')]))
    byRole('button').click()
    expect(submit).not.toHaveBeenCalled()
  })
})

describe('a sheet', () => {
  it('owns one history entry: back closes it, closing takes it away', async () => {
    const open = ref(false)
    const close = vi.fn(() => {
      open.value = false
    })
    show(() => [
      h('button', { onClick: () => (open.value = true) }, 'Ask'),
      h(Sheet, { open: open.value, title: 'Sure?', closeLabel: 'Close', onClose: close }, () => 'Body'),
    ])
    const before = history.length
    byRole('button', 'Ask').focus()
    byRole('button', 'Ask').click()
    await until(() => byRole('dialog', 'Sure?'))
    expect(history.length).toBe(before + 1)
    expect((history.state as { xlSheet?: boolean }).xlSheet).toBe(true)
    await until(() => expect(document.activeElement?.textContent).toBe('Sure?'))
    history.replaceState({}, '')
    dispatchEvent(new PopStateEvent('popstate', { state: {} }))
    await nextTick()
    expect(close).toHaveBeenCalledOnce()
    expect(allByRole('dialog')).toHaveLength(0)
    expect(document.activeElement?.textContent).toBe('Ask')
  })
})

describe('days', () => {
  const days = [
    { date: '2026-11-23', top: 'Today', bottom: '23 Nov', state: '4 left' },
    { date: '2026-11-24', top: 'Tue', bottom: '24 Nov', state: 'Full', off: true },
  ]

  it('are buttons that tell which is chosen', () => {
    show(() => h(DateStrip, { modelValue: '2026-11-23', label: 'Day', all: 'All', days }))
    expect(byRole('button', /Today/).getAttribute('aria-pressed')).toBe('true')
    expect(byRole('button', 'All').getAttribute('aria-pressed')).toBe('false')
  })

  it('are a native list in elder mode', () => {
    show(() => h(DateStrip, { modelValue: '', label: 'Day', all: 'All', days, plain: true }))
    const select = byRole('combobox', 'Day') as HTMLSelectElement
    expect([...select.options].map((option) => option.textContent)).toEqual([
      'All',
      'Today 23 Nov 4 left',
      'Tue 24 Nov Full',
    ])
  })
})

describe('a QR code', () => {
  it('is a named picture with the three corner marks', () => {
    show(() => h(QrCode, { text: 'XL1.apt_1', label: 'Check-in code' }))
    const picture = byRole('img', 'Check-in code')
    const size = Number(picture.getAttribute('viewBox')?.split(' ')[2])
    // 21 modules and more, with a quiet zone of 2 around.
    expect(size).toBeGreaterThanOrEqual(25)
    const path = picture.querySelector('path')?.getAttribute('d') ?? ''
    for (const corner of [`M2 2h`, `M${size - 3} 2h`, `M2 ${size - 3}h`]) expect(path).toContain(corner)
  })
})
