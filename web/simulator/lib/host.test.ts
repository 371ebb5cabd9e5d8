import { describe, expect, it } from 'vitest'
import { opened, phoneAddress, phoneOf } from './host'

describe('host names', () => {
  it('says whose phone a page is', () => {
    expect(phoneOf('p1.localhost')).toBe('p1')
    expect(phoneOf('p12.phones.localhost')).toBe('p12')
    for (const host of [
      'localhost',
      '127.0.0.1',
      'phones.localhost',
      'p1.example.com',
      'px.localhost',
      'p1.evillocalhost',
    ])
      expect(phoneOf(host)).toBeUndefined()
  })

  it('gives each phone an address below one site', () => {
    expect(phoneAddress('p2', '9000')).toBe('http://p2.phones.localhost:9000/')
    expect(phoneAddress('p2', '')).toBe('http://p2.phones.localhost/')
  })
})

describe('opening a link', () => {
  const product = 'http://127.0.0.1:8080'
  const here = 'p1.localhost'

  it('takes pages of the product to the phone’s own host', () => {
    expect(opened('http://127.0.0.1:8080/doctors/7?a=1#b', product, here)).toBe(
      'http://p1.localhost:8080/doctors/7?a=1#b',
    )
    expect(opened('/departments', product, here)).toBe('http://p1.localhost:8080/departments')
    expect(opened('http://localhost:8080/me', product, here)).toBe('http://p1.localhost:8080/me')
    expect(opened('http://p2.localhost:8080/me', product, 'p1.phones.localhost')).toBe(
      'http://p1.phones.localhost:8080/me',
    )
  })

  it('leaves other addresses alone', () => {
    expect(opened('https://example.com/x', product, here)).toBe('https://example.com/x')
    expect(opened('http://127.0.0.1:9999/x', product, here)).toBe('http://127.0.0.1:9999/x')
    expect(opened('https://h.example.com/x', 'https://h.example.com', here)).toBe('https://h.example.com/x')
  })

  it('opens only web pages', () => {
    for (const link of [
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      'weixin://x',
      'http://',
    ])
      expect(opened(link, product, here)).toBeUndefined()
  })
})
