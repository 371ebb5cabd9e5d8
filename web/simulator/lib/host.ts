/**
 * Host names. Cookies ignore ports, so each phone has a host of its own, and pages of the product are framed under the
 * same one. A browser sends a Lax cookie into a frame only when all frames around it are of the same site; p1.localhost
 * and p2.localhost are two sites. Side by side the phones therefore live below one name: p1.phones.localhost.
 */

/** The host name of the desk. */
export const deskHost = 'phones.localhost'

/** The phone that a host name belongs to: `p1` for p1.localhost and p1.phones.localhost. */
export function phoneOf(hostname: string): string | undefined {
  return /^(p\d+)\.(?:[\w-]+\.)*localhost$/.exec(hostname)?.[1]
}

/** The address of a phone beside others on the desk. */
export function phoneAddress(id: string, port: string): string {
  return `http://${id}.${deskHost}${port ? `:${port}` : ''}/`
}

const loopback = (hostname: string): boolean =>
  hostname === 'localhost' ||
  hostname === '127.0.0.1' ||
  hostname === '[::1]' ||
  hostname.endsWith('.localhost')

/**
 * How a phone opens a link: pages of the product under the phone's own host name, so that its cookies are its own; all
 * else as it is. `undefined` for what a phone does not open at all.
 */
export function opened(link: string, productBase: string, hostname: string): string | undefined {
  let url: URL
  try {
    url = new URL(link, productBase)
  } catch {
    return undefined
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
  const product = new URL(productBase)
  const sameMachine = loopback(url.hostname) && loopback(product.hostname) && url.port === product.port
  if (
    phoneOf(hostname) &&
    url.protocol === product.protocol &&
    (url.origin === product.origin || sameMachine)
  ) {
    // A product behind a real name stays there: only a loopback product answers under every loopback name.
    if (loopback(product.hostname)) url.hostname = hostname
  }
  return url.href
}
