import { expect, it } from 'vitest'
import { Shaking } from './position'

it('shaking is three jolts within a second; walking and one bump are not', () => {
  const rest = 9.8
  const shaking = new Shaking()
  // Walking: a little more than rest, at each step.
  for (let at = 0; at < 5_000; at += 500) expect(shaking.feel(3, 4, rest, at)).toBe(false)
  // One bump, felt for a while.
  for (let at = 6_000; at < 6_060; at += 20) expect(shaking.feel(20, 5, rest, at)).toBe(false)
  // Bumps that are far apart.
  for (let at = 8_000; at < 12_000; at += 900) expect(shaking.feel(22, 5, rest, at)).toBe(false)
  const felt = [20_000, 20_200, 20_400].map((at) => shaking.feel(at % 400 ? -22 : 22, 5, rest, at))
  expect(felt).toEqual([false, false, true])
  // It counts once, not again at the next jolt.
  expect(shaking.feel(22, 5, rest, 20_600)).toBe(false)
})
