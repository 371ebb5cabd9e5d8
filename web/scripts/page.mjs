// What a build does to index.html, so that little stands between a slow phone and the first screen.
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
 * a map from the source name of each lazy part to its files, those that it imports included; `first` is the program itself.
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
      handler(html, { bundle = {} }) {
        const chunks = Object.values(bundle).filter((one) => one.type === 'chunk')
        const reach = (file, seen = new Set()) => {
          if (seen.has(file) || bundle[file]?.type !== 'chunk') return seen
          seen.add(file)
          bundle[file].imports.forEach((next) => reach(next, seen))
          return seen
        }
        const first = new Set(chunks.filter((one) => one.isEntry).flatMap((one) => [...reach(one.fileName)]))
        const named = [...html.matchAll(/ (?:src|href)="([^"]+\.js)"/g)].map((match) => match[1])
        const parts = { first: named }
        for (const chunk of chunks) {
          if (!chunk.isDynamicEntry || !chunk.facadeModuleId) continue
          const name = /(?:screens\/([A-Za-z]+)\.vue|(en\/index)\.ts)$/.exec(
            chunk.facadeModuleId.split('?')[0],
          )
          if (!name) continue
          const own = [...reach(chunk.fileName)].filter((file) => !first.has(file))
          parts[name[1] ?? name[2]] = own.map((file) => base + file)
        }
        return html.replace("'%PARTS%'", JSON.stringify(parts))
      },
    },
  }
}

/**
 * Writes the app's style into the page instead of linking it: nothing is drawn before a linked style has come, and on a slow
 * network that is one more turn.
 */
export function inlineStyle() {
  return {
    name: 'xinglin-inline-style',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle = {} }) {
        return html.replace(
          /\s*<link rel="stylesheet"[^>]* href="[^"]*\/(assets\/[^"]+\.css)">/g,
          (link, file) => {
            const style = String(bundle[file].source).trim()
            if (/<\/style/i.test(style)) throw new Error(`${file} would end its <style> early`)
            delete bundle[file]
            return `\n    <style>${style}</style>`
          },
        )
      },
    },
  }
}

/**
 * Marks the chunk of that name: nearly all of it runs at once, so V8 may compile it whole, beside the download, instead of
 * function by function on the main thread as each is first called (its "explicit compile hints"; to others a comment).
 */
export function compileAhead(name) {
  return {
    name: 'xinglin-compile-ahead',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        for (const chunk of Object.values(bundle)) {
          if (chunk.type === 'chunk' && chunk.name === name)
            chunk.code = `//# allFunctionsCalledOnLoad\n${chunk.code}`
        }
      },
    },
  }
}

/**
 * Writes csp.json beside index.html with the hashes of its inline script and style blocks, so that the server can send a
 * content policy without 'unsafe-inline'.
 */
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
