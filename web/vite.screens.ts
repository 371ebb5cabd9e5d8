import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const api = process.env.API ?? 'http://127.0.0.1:8080'
/** Stands in the program where the build's name will be: the name is made from the program. */
const MARK = '%BUILD-OF-THE-SCREENS%'

/** Names the build by what is in it, inside the program and in version.json beside it: see screens/lib/heart.ts. */
function named(): Plugin {
  let name = ''
  return {
    name: 'xinglin-screens-build',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const hash = createHash('sha256')
        for (const file of Object.keys(bundle).sort()) hash.update(file)
        name = hash.digest('hex').slice(0, 16)
        for (const part of Object.values(bundle)) {
          if (part.type === 'chunk') part.code = part.code.replaceAll(MARK, name)
        }
      },
    },
    writeBundle() {
      writeFileSync(join(here('./dist/screens'), 'version.json'), JSON.stringify({ build: name }) + '\n')
    },
  }
}

/** What hangs on walls and stands in halls: televisions live long, so the floor is low. */
export default defineConfig({
  root: here('./screens'),
  base: '/screens/',
  plugins: [vue(), named()],
  resolve: { alias: { '@shared': here('./shared') } },
  define: {
    __BUILD__: JSON.stringify(MARK),
    __VUE_OPTIONS_API__: 'false',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
  },
  build: {
    outDir: here('./dist/screens'),
    emptyOutDir: true,
    manifest: true,
    target: ['es2019', 'chrome80', 'safari13'],
    cssTarget: ['chrome80', 'safari13'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { host: '127.0.0.1', port: 5175, proxy: { '/api': api } },
})
