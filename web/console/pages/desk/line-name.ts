/** What a line is told apart by: its doctor where it has one, and where and when that doctor sits. */
import { personName, pick, type Text2 } from '@shared/i18n/i18n'
import { look, t } from './words'

interface Named {
  name: Text2
  doctor_name?: Text2 | null
  title?: Text2 | null
}

/** `李华 主任医师`, or the line's own name where it has no doctor. */
export function lineName(line: Named): string {
  if (!line.doctor_name) return pick(line.name)
  const title = line.title ? ` ${pick(line.title)}` : ''
  return `${personName(line.doctor_name)}${title}`
}

/** What stands beside the name: the department of a doctor's line, its rooms, today's sessions. */
export function lineAbout(line: Named & { rooms?: Text2[]; sessions?: string[] }): string {
  const parts = line.doctor_name ? [pick(line.name)] : []
  parts.push(...(line.rooms ?? []).map((room) => pick(room)))
  if (line.doctor_name && line.sessions) {
    const sessions = line.sessions.map((one) => look(`desk.session.${one}`) ?? one)
    parts.push(sessions.length ? sessions.join(t('desk.session.and')) : t('desk.session.none'))
  }
  return parts.join(' · ')
}

/** Both in one, for lists that are searched by typing. */
export const lineLabel = (line: Parameters<typeof lineAbout>[0]): string =>
  [lineName(line), lineAbout(line)].filter(Boolean).join(' · ')
