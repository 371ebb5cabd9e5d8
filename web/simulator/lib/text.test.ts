import { describe, expect, it } from 'vitest'
import { pieces } from './text'

describe('the text of a bubble', () => {
  it('finds links as accounts write them', () => {
    expect(
      pieces('点 <a href="http://h/a?x=1&amp;y=2">挂号</a>，或 <A HREF=\'http://h/b\'>我的</A>。'),
    ).toEqual([
      { text: '点 ' },
      { text: '挂号', href: 'http://h/a?x=1&y=2' },
      { text: '，或 ' },
      { text: '我的', href: 'http://h/b' },
      { text: '。' },
    ])
  })

  it('finds bare addresses, and stops before punctuation', () => {
    expect(pieces('见 https://h/x?a=1。谢谢')).toEqual([
      { text: '见 ' },
      { text: 'https://h/x?a=1', href: 'https://h/x?a=1' },
      { text: '。谢谢' },
    ])
  })

  it('shows everything else as it is', () => {
    expect(pieces('a < b & <b>c</b>')).toEqual([{ text: 'a < b & <b>c</b>' }])
    expect(pieces('')).toEqual([])
    expect(pieces('<a href="http://h"></a>')).toEqual([{ text: 'http://h', href: 'http://h' }])
  })
})
