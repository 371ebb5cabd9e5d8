/** Times as the hospital's wall shows them, whatever zone the browser is in. */
const wall = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Asia/Shanghai',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  hour12: false,
})

function parts(at: number): Record<string, string> {
  return Object.fromEntries(wall.formatToParts(at).map((part) => [part.type, part.value]))
}

/** `08:30` */
export function clock(at: number): string {
  const { hour, minute } = parts(at)
  return `${hour}:${minute}`
}

/** `11-23 08:30` */
export function stamp(at: number): string {
  const { month, day, hour, minute } = parts(at)
  return `${month}-${day} ${hour}:${minute}`
}
