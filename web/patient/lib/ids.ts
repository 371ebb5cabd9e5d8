/**
 * The check of a mainland resident identity number (GB 11643-1999) that the form makes before it asks the server: it finds
 * a mistyped digit at once. The server decides.
 */
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const CHECKS = '10X98765432'

/** What people type: full-width characters, blanks, dashes and small letters are put right. */
export function tidyNumber(text: string): string {
  return text
    .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(/[\s-]/g, '')
    .toUpperCase()
}

/** The birth date that an 18-digit number tells. */
export function birthOf(number: string): string {
  return `${number.slice(6, 10)}-${number.slice(10, 12)}-${number.slice(12, 14)}`
}

/** What is wrong with a resident number, as the server would call it; nothing when it looks right. */
export function residentFault(text: string): 'length' | 'format' | 'birth_date' | 'checksum' | undefined {
  const number = tidyNumber(text)
  if (number.length !== 18) return 'length'
  if (!/^\d{17}[\dX]$/.test(number)) return 'format'
  const date = birthOf(number)
  const parsed = new Date(`${date}T00:00:00Z`)
  if (Number.isNaN(parsed.getTime()) || parsed.toISOString().slice(0, 10) !== date) return 'birth_date'
  const sum = WEIGHTS.reduce((total, weight, at) => total + weight * Number(number.charAt(at)), 0)
  return CHECKS.charAt(sum % 11) === number.charAt(17) ? undefined : 'checksum'
}
