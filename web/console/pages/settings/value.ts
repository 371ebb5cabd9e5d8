/** Values of settings as fields hold them, and back. What a value is, its default says. */
export type Shape = 'flag' | 'number' | 'text' | 'time' | 'lines' | 'json'

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')

export function shapeOf(fallback: unknown, value: unknown = fallback): Shape {
  if (typeof fallback === 'boolean') return 'flag'
  if (typeof fallback === 'number') return 'number'
  if (typeof fallback === 'string') return /^\d\d:\d\d$/.test(fallback) ? 'time' : 'text'
  // An empty list could hold anything: what stands there now tells more.
  if (isTexts(fallback) && isTexts(value)) return 'lines'
  return 'json'
}

export function toField(shape: Shape, value: unknown): string | boolean {
  switch (shape) {
    case 'flag':
      return value === true
    case 'lines':
      return (value as string[]).join('\n')
    case 'json':
      return JSON.stringify(value, null, 2)
    default:
      return String(value ?? '')
  }
}

/** Fails with a SyntaxError when the text can't be read. */
export function fromField(shape: Shape, field: string | boolean): unknown {
  switch (shape) {
    case 'flag':
      return field === true
    case 'number':
      if (!/^-?\d+$/.test(String(field).trim())) throw new SyntaxError('no number')
      return Number(field)
    case 'lines':
      return String(field)
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '')
    case 'json':
      return JSON.parse(String(field)) as unknown
    default:
      return String(field).trim()
  }
}

export const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)
