/** A rule as the form holds it: one line for each channel, those that get nothing too. */
import type { Answer, Body } from '../../lib/api'

export type Rule = Answer<'/api/v1/staff/quotas', 'get'>['items'][number]
export type Share = Body<'/api/v1/staff/quotas', 'post'>['shares'][number]
export type Channel = Share['channel']

export const CHANNELS: readonly Channel[] = [
  'online',
  'window',
  'kiosk',
  'doctor',
  'internet_hospital',
  'partner',
]

export interface ShareLine {
  channel: Channel
  how: 'off' | 'rest' | 'percent' | 'count'
  amount: string
  kept: string
  /** Empty: nobody. */
  backTo: Channel | ''
  backDays: string
  backAt: string
}

const empty = (channel: Channel): ShareLine => ({
  channel,
  how: 'off',
  amount: '',
  kept: '0',
  backTo: '',
  backDays: '0',
  backAt: '10:00',
})

export function linesOf(shares: readonly Share[]): ShareLine[] {
  return CHANNELS.map((channel) => {
    const share = shares.find((one) => one.channel === channel)
    if (!share) return empty(channel)
    const how = share.percent
      ? 'percent'
      : share.count !== null && share.count !== undefined
        ? 'count'
        : 'rest'
    return {
      channel,
      how,
      amount: String(share.percent ?? share.count ?? ''),
      kept: String(share.kept ?? 0),
      backTo: share.hand_back?.to ?? '',
      backDays: String(share.hand_back?.days_before ?? 0),
      backAt: share.hand_back?.at ?? '10:00',
    }
  })
}

export function sharesOf(lines: readonly ShareLine[]): Share[] {
  return lines
    .filter((line) => line.how !== 'off')
    .map((line) => ({
      channel: line.channel,
      percent: line.how === 'percent' ? Number(line.amount) : null,
      count: line.how === 'count' ? Number(line.amount) : null,
      kept: Number(line.kept) || 0,
      hand_back: line.backTo
        ? { to: line.backTo, days_before: Number(line.backDays) || 0, at: line.backAt }
        : null,
    }))
}

/** So many percent online, the rest on site, what is left online to the counter on the morning. */
export function split(percent: number): ShareLine[] {
  return linesOf([
    {
      channel: 'online',
      percent,
      count: null,
      kept: 0,
      hand_back: { to: 'window', days_before: 0, at: '10:00' },
    },
    { channel: 'window', percent: null, count: null, kept: 0, hand_back: null },
  ])
}
