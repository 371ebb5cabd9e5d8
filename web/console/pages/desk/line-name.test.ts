/** Several doctors of one department have lines that can be told apart. */
import { setLang } from '@shared/i18n/i18n'
import { expect, it } from 'vitest'
import { lineAbout, lineLabel, lineName } from './line-name'

const two = (zh: string, en: string) => ({ zh, en })
const li = {
  name: two('皮肤科', 'Dermatology'),
  doctor_name: two('李华', 'Li Hua'),
  title: two('主任医师', 'Chief physician'),
  rooms: [two('203 诊室', 'Room 203')],
  sessions: ['am', 'pm'],
}

it('a line is called by its doctor, with where and when they sit', async () => {
  await setLang('zh')
  expect(lineName(li)).toBe('李华 主任医师')
  expect(lineAbout(li)).toBe('皮肤科 · 203 诊室 · 上午、下午')
  expect(lineAbout({ ...li, sessions: [] })).toContain('今天不出诊')
  expect(lineLabel(li)).not.toBe(lineLabel({ ...li, doctor_name: two('王芳', 'Wang Fang') }))
})

it('a window without a doctor goes by its own name, and has no session', async () => {
  await setLang('zh')
  const lab = { name: two('采血处', 'Blood tests'), rooms: [two('1 号窗口', 'Window 1')], sessions: [] }
  expect(lineName(lab)).toBe('采血处')
  expect(lineAbout(lab)).toBe('1 号窗口')
})
