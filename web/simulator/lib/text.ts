/** What a chat bubble's text is made of. */
export interface Piece {
  text: string
  /** Where the piece leads, when it is a link. */
  href?: string
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  '#39': "'",
}
const plain = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|apos|#39);/g, (whole, name: string) => entities[name] ?? whole)

/** Splits a text into words and links: `<a href="…">…</a>` as an account may send them, and bare addresses. */
export function pieces(text: string): Piece[] {
  const out: Piece[] = []
  const add = (piece: Piece): void => {
    if (piece.text) out.push(piece)
  }
  const link =
    /<a\s[^>]*?href\s*=\s*["']([^"']+)["'][^>]*>([\s\S]*?)<\/a>|(https?:\/\/[^\s<>"'，。；、）]+)/gi
  let at = 0
  for (const match of text.matchAll(link)) {
    add({ text: text.slice(at, match.index) })
    const href = plain(match[1] ?? match[3] ?? '')
    const name = plain((match[2] ?? match[3] ?? '').replace(/<[^>]*>/g, ''))
    add({ text: name || href, href })
    at = match.index + match[0].length
  }
  add({ text: text.slice(at) })
  return out
}
