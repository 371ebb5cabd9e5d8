// Builds each app into dist/<app>, with .br and .gz copies beside every text file that is worth it.
// `node scripts/build.mjs patient` builds only that one.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'vite'

const web = dirname(dirname(fileURLToPath(import.meta.url)))
const asked = process.argv.slice(2)
const apps = asked.length ? asked : ['patient', 'console', 'screens', 'simulator']

function* files(dir) {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name)
    if (statSync(path).isDirectory()) yield* files(path)
    else yield path
  }
}

for (const app of apps) {
  if (!existsSync(join(web, app, 'index.html'))) {
    console.log(`${app}: no index.html yet, left out`)
    continue
  }
  process.env.APP = app
  const own = join(web, `vite.${app}.ts`)
  await build({ configFile: existsSync(own) ? own : join(web, 'vite.config.ts'), logLevel: 'warn' })
  const dist = join(web, 'dist', app)
  let count = 0
  let packed = 0
  for (const path of [...files(dist)]) {
    if (!/\.(html|js|css|svg|json|txt)$/.test(path) || relative(dist, path).startsWith('.vite')) continue
    const body = readFileSync(path)
    count += 1
    const br = brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
    const gz = gzipSync(body, { level: 9 })
    packed += gz.length
    if (gz.length > body.length * 0.95) continue
    writeFileSync(`${path}.br`, br)
    writeFileSync(`${path}.gz`, gz)
  }
  console.log(`${app}: ${count} files, ${(packed / 1024).toFixed(1)} KiB compressed, in dist/${app}`)
}
