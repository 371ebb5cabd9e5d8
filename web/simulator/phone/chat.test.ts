import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import Bubble from './Bubble.vue'
import MenuBar from './MenuBar.vue'
import type { ChatItem } from '../lib/sim'

const item = (more: Partial<ChatItem>): ChatItem => ({
  id: 1,
  at_ms: 0,
  from: 'account',
  kind: 'text',
  ...more,
})

describe('a bubble', () => {
  it('opens the links in a text', async () => {
    const text = '请看 <a href="http://h/me">我的预约</a>'
    const bubble = mount(Bubble, { props: { item: item({ text }), sender: '杏林' } })
    await bubble.get('button').trigger('click')
    expect(bubble.get('button').text()).toBe('我的预约')
    expect(bubble.emitted('open')).toEqual([['http://h/me']])
  })

  it('shows a notice as a card with its lines', async () => {
    const lines = [{ label: '就诊人', value: '林*杏' }]
    const props = {
      item: item({ kind: 'template', title: '就诊提醒', lines, url: 'http://h/a' }),
      sender: '杏林',
    }
    const bubble = mount(Bubble, { props })
    expect(bubble.get('dt').text()).toBe('就诊人')
    await bubble.get('button').trigger('click')
    expect(bubble.emitted('open')).toEqual([['http://h/a']])
  })

  it('never takes markup from a message', () => {
    const text = '<img src=x onerror=alert(1)>'
    const bubble = mount(Bubble, { props: { item: item({ text }), sender: 'x' } })
    expect(bubble.find('img').exists()).toBe(false)
    expect(bubble.text()).toContain('<img src=x')
  })

  it('gives the choices of a menu message', async () => {
    const line = { label: '1', value: '满意' }
    const bubble = mount(Bubble, { props: { item: item({ kind: 'menu', lines: [line] }), sender: 'x' } })
    await bubble.get('button').trigger('click')
    expect(bubble.emitted('choose')).toEqual([[line]])
  })
})

describe('the menu', () => {
  const menu = [
    { name: '挂号', type: 'view', url: 'http://h/' },
    { name: '我的', sub_button: [{ name: '预约', type: 'click', key: 'mine' }] },
  ]

  it('taps the real buttons by their place', async () => {
    const bar = mount(MenuBar, { props: { menu } })
    const button = (name: string) => bar.findAll('button').find((one) => one.text().endsWith(name))
    await button('挂号')?.trigger('click')
    expect(button('预约')).toBeUndefined()
    await button('我的')?.trigger('click')
    expect(button('我的')?.attributes('aria-expanded')).toBe('true')
    await button('预约')?.trigger('click')
    expect(bar.emitted('tap')).toEqual([[[0]], [[1, 0]]])
    expect(button('预约')).toBeUndefined()
  })
})
