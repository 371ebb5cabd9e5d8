// After a build: writes csp.json beside index.html with the hashes of its inline script and style blocks, so that
// the server can send a content policy without 'unsafe-inline'.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The hashes of each inline block of an HTML page, in the form a content policy wants (without quotes). */
export function inlineHashes(html) {
  const found = (pattern) =>
    [...html.matchAll(pattern)].map(
      (match) => 'sha256-' + createHash('sha256').update(match[1], 'utf8').digest('base64'),
    )
  return {
    script: found(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g),
    style: found(/<style[^>]*>([\s\S]*?)<\/style>/g),
  }
}

/** The Vite plugin around it. */
export function cspHashes() {
  let dir = ''
  return {
    name: 'xinglin-csp',
    apply: 'build',
    configResolved(config) {
      dir = config.build.outDir
    },
    writeBundle() {
      const html = readFileSync(join(dir, 'index.html'), 'utf8')
      if (/\son[a-z]+=/i.test(html.replace(/<script[\s\S]*?<\/script>/g, ''))) {
        throw new Error('index.html has an inline event handler, which the content policy would block')
      }
      writeFileSync(join(dir, 'csp.json'), JSON.stringify(inlineHashes(html), null, 2) + '\n')
    },
  }
}
