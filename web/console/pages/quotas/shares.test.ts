import { expect, test } from 'vitest'
import { linesOf, sharesOf, split, type Share } from './shares'

test('a rule comes out of the form as it went in', () => {
  const shares: Share[] = [
    {
      channel: 'online',
      percent: 60,
      count: null,
      kept: 0,
      hand_back: { to: 'window', days_before: 1, at: '18:00' },
    },
    { channel: 'window', percent: null, count: null, kept: 3, hand_back: null },
    { channel: 'doctor', percent: null, count: 2, kept: 0, hand_back: null },
  ]
  expect(sharesOf(linesOf(shares))).toEqual(shares)
  expect(linesOf(shares).map((line) => line.how)).toEqual(['percent', 'rest', 'off', 'count', 'off', 'off'])
})

test('a split names both sides', () => {
  expect(sharesOf(split(70)).map((share) => [share.channel, share.percent])).toEqual([
    ['online', 70],
    ['window', null],
  ])
})
