/** Tables as CSV that Excel and WPS open rightly: UTF-8 with its mark, CRLF, and nothing that counts as a formula. */

/** One cell. What begins like a formula gets an apostrophe before it: texts come from people. */
export function cell(value: string | number | undefined): string {
  const text = value === undefined ? '' : String(value)
  const risky = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text)
  const safe = risky ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

export function csv(head: string[], rows: (string | number | undefined)[][]): string {
  return '\uFEFF' + [head, ...rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n'
}

/** Lets the browser keep a text as a file. */
export function download(name: string, text: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
