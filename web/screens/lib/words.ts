/** The words of the walls. A wall has both languages at once: Chinese large, English below it. */
import type { Text2 } from '@shared/i18n/i18n'

const two = (zh: string, en: string): Text2 => ({ zh, en })

export const w = {
  now: two('正在就诊', 'Now calling'),
  room: two('诊室', 'Room'),
  next: two('请准备', 'Up next'),
  late: two('过号', 'Missed their call'),
  lateHow: two(
    '回到候诊区，按顺序会再叫您',
    'Come back to the waiting area: you will be called again in turn',
  ),
  pickups: two('可以领取', 'Ready to collect'),
  nobody: two('暂无人候诊', 'Nobody is waiting'),
  nobodyCalled: two('暂未叫号', 'Nobody is being called'),
  waiting: two('候诊', 'Waiting'),
  people: two('人', ''),
  estimate: two('预计等候', 'Estimated wait'),
  minutes: two('分钟', 'min'),
  paused: two('暂停', 'Paused'),
  closed: two('已结束', 'Closed'),
  until: two('恢复', 'back at'),
  overview: two('各科候诊情况', 'Waiting now, by department'),
  experts: two('今日出诊专家', "Today's specialists"),
  come: two('请到', 'Please come to'),
  returning: two('复诊回来', 'back with results'),
  lost: two('网络中断，正在重新连接。显示的是', 'No connection, trying again. This is how it was at'),
  gone: two(
    '这里没有可显示的内容，请在控制台重新设置',
    'There is nothing to show here. Please set this screen up in the console',
  ),
  updated: two('更新于', 'Updated'),
  pairing: two('等待配对', 'Waiting to be paired'),
  pairingHow: two(
    '请工作人员登录控制台，打开“屏幕与自助机”，输入下面的配对码',
    'Staff: sign in to the console, open “Screens and kiosks”, and enter this code',
  ),
  door: two('候诊', 'Waiting'),
  doorNext: two('下一位', 'Next'),
  serving: two('就诊中', 'In the room'),
  called: two('请进', 'Please come in'),
} as const

/** How many wait; and about how long, where that is known. */
export function waitingWords(n: number, wait?: string): Text2 {
  return wait === undefined
    ? two(`${n} 人候诊`, `${n} waiting`)
    : two(`${n} 人候诊，约 ${wait} 分钟`, `${n} waiting, about ${wait} min`)
}

/** Paused, and until when where that is known. */
export function pausedWords(until?: string): Text2 {
  return until ? two(`暂停，${until} 恢复`, `Paused, back at ${until}`) : w.paused
}

/** What stands on a slip of paper. */
export const paper = {
  ahead: (n: number): Text2 => two(`前面还有 ${n} 人`, `${n} ahead of you`),
  wait: (wait: string): Text2 => two(`预计等候 ${wait} 分钟`, `Estimated wait ${wait} min`),
  late: two(
    '过号请回候诊区，按顺序会再叫您。',
    'Missed your call? Come back: you will be called again in turn.',
  ),
} as const

/** The classes of people who come first, short, as they stand beside a number. */
export const classes: Readonly<Record<string, Text2>> = {
  emergency: two('急', 'urgent'),
  elder: two('老', '65+'),
  military: two('军', 'military'),
  pregnant: two('孕', 'pregnant'),
  disabled: two('残', 'disabled'),
  child: two('儿', 'child'),
  staff: two('优', 'first'),
}
