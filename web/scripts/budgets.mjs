// Weighs what a phone has to load, from the Vite manifest: the entry with all it needs before the first screen (the style
// in index.html too), index.html, and each lazy part on top of them. Fails when one is over its budget (KiB after gzip).
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const budgets = {
  patient: { entry: 50, lazy: 15, html: 10 },
  // Sixteen areas stand in the menu; staff sit at desks.
  console: { entry: 90, lazy: 110, html: 2 },
  screens: { entry: 60, lazy: 20, html: 2 },
  simulator: { entry: 90, lazy: 60, html: 10 },
}

const web = dirname(dirname(fileURLToPath(import.meta.url)))
let failed = false

for (const [app, budget] of Object.entries(budgets)) {
  const dist = join(web, 'dist', app)
  const manifestPath = join(dist, '.vite', 'manifest.json')
  if (!existsSync(manifestPath)) {
    if (existsSync(join(web, app, 'index.html'))) {
      console.error(`${app}: not built; run "npm run build" first`)
      failed = true
    }
    continue
  }
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'))
  const weight = (file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length / 1024
  const reach = (key, seen = new Set()) => {
    if (seen.has(key)) return seen
    seen.add(key)
    for (const next of manifest[key].imports ?? []) reach(next, seen)
    return seen
  }
  const filesOf = (keys) => {
    const files = new Set()
    for (const key of keys) {
      files.add(manifest[key].file)
      for (const css of manifest[key].css ?? []) files.add(css)
    }
    return files
  }
  // The entry: the files that the page names with all that they import, and the style in the page itself.
  const page = readFileSync(join(dist, 'index.html'), 'utf8')
  const named = [...page.matchAll(/(?:src|href)="[^"]*\/(assets\/[^"]+)"/g)].map((match) => match[1])
  const keyOf = (file) => Object.keys(manifest).find((key) => manifest[key].file === file)
  const entryFiles = filesOf(new Set(named.filter(keyOf).flatMap((file) => [...reach(keyOf(file))])))
  // A style sheet that belongs to the entry has no key of its own.
  for (const file of named) entryFiles.add(file)
  const style = gzipSync(/<style>[\s\S]*<\/style>/.exec(page)?.[0] ?? '', { level: 9 }).length / 1024
  const rows = [['entry', sum(entryFiles) + style, budget.entry]]
  rows.push(['index.html', weight('index.html'), budget.html])
  for (const [key, part] of Object.entries(manifest)) {
    if (!part.isDynamicEntry) continue
    const own = new Set([...filesOf(reach(key))].filter((file) => !entryFiles.has(file)))
    rows.push([key, sum(own), budget.lazy])
  }
  for (const [name, kib, limit] of rows) {
    const over = kib > limit
    failed ||= over
    console.log(`${app}  ${kib.toFixed(1).padStart(6)} / ${limit} KiB gz  ${over ? 'OVER  ' : ''}${name}`)
  }
  function sum(files) {
    return [...files].reduce((total, file) => total + weight(file), 0)
  }
}
process.exit(failed ? 1 : 0)
