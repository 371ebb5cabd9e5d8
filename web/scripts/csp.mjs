// After a build: writes csp.json beside index.html with the hashes of its inline script and style blocks, so that
// the server can send a content policy without 'unsafe-inline'.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The hashes of each inline block of an HTML page, in the form that a content policy wants, quotes included. */
export function inlineHashes(html) {
  const found = (pattern) =>
    [...html.matchAll(pattern)].map(
      (match) => `'sha256-${createHash('sha256').update(match[1], 'utf8').digest('base64')}'`,
    )
  return {
    script: found(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g),
    style: found(/<style[^>]*>([\s\S]*?)<\/style>/g),
  }
}

/**
 * Lets the page's own inline script ask for the parts of its route before the program runs: `%PARTS%` in index.html becomes
 * a map from the source name of each lazy part to its files.
 */
export function routeParts() {
  let base = '/'
  return {
    name: 'xinglin-route-parts',
    configResolved(config) {
      base = config.base
    },
    transformIndexHtml: {
      order: 'post',
      handler(html, context) {
        const parts = {}
        for (const chunk of Object.values(context.bundle ?? {})) {
          if (chunk.type !== 'chunk' || !chunk.isDynamicEntry || !chunk.facadeModuleId) continue
          const name = /(en\/index|[A-Za-z]+)\.(?:vue|ts)$/.exec(chunk.facadeModuleId.split('?')[0])?.[1]
          if (name)
            parts[name] = [chunk.fileName, ...(chunk.viteMetadata?.importedCss ?? [])].map(
              (file) => base + file,
            )
        }
        return html.replace("'%PARTS%'", JSON.stringify(parts))
      },
    },
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
