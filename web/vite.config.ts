import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { compileAhead, cspHashes, inlineStyle, routeParts } from './scripts/page.mjs'

// One build per app: a shared build would put code of one app into the chunks of another.
const app = process.env.APP ?? 'patient'
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
if (!existsSync(here(`./${app}/index.html`))) {
  throw new Error(`APP=${app}: there is no ${app}/index.html`)
}

/**
 * What comes in one file together: each further file costs a slow network a turn of its own, and a browser has only six lines
 * to a server at a time. `first` is the program with what every screen needs; `booking` and `form` what several later screens
 * share. The rest is divided by screen.
 */
const together = [
  {
    name: 'first',
    priority: 3,
    test: /node_modules\/(@vue|vue|vue-router)\/|plugin-vue:export-helper|vite\/preload-helper|\/shared\/(tokens\.css|(api|agent|format|i18n\/\w+|ui\/(AppBar|Btn|Cell|EmptyState|Notice|Skeleton))\.)|\/patient\/(main\.ts|App\.vue|router\.ts|patient\.css|i18n\/(zh\/)?core\.|lib\/(ahead|clinics|fit|later|page|resource|session|spent)\.|parts\/(Screen|Tabs|Loaded)\.)/,
  },
  {
    name: 'form',
    priority: 2,
    test: /\/shared\/ui\/(Choice|Select|Facts)\.|\/patient\/(lib\/(live|problems|send|sign-in)|parts\/SessionGate)\./,
  },
  {
    name: 'booking',
    priority: 1,
    test: /\/shared\/ui\/DateStrip\.|\/patient\/(i18n\/(zh\/)?book\.|lib\/(move|say-booking|sheet)\.|parts\/(DoctorCard|Face|Left|StateTag|VisitCard)\.)/,
  },
]

export default defineConfig({
  root: here(`./${app}`),
  // Where the files are served: "/" unless the app lives under a path of its own.
  base: process.env.APP_BASE ?? '/',
  plugins: [vue(), routeParts(), inlineStyle(), compileAhead('first'), cspHashes()],
  resolve: { alias: { '@shared': here('./shared') } },
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
  },
  build: {
    outDir: here(`./dist/${app}`),
    emptyOutDir: true,
    manifest: true,
    // The oldest clients we serve: see web budgets and browser floors in the documentation.
    target: ['es2019', 'chrome80', 'safari13'],
    cssTarget: ['chrome80', 'safari13'],
    // No data: URLs, so that the content policy can stay strict.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // One style for all screens, written into the page: see inlineStyle.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: { groups: together },
        // Seven letters tell versions of a file apart. The names of all screens stand in the entry, where nothing shortens them.
        entryFileNames: 'assets/[name]-[hash:7].js',
        chunkFileNames: 'assets/[name]-[hash:7].js',
      },
    },
  },
  server: {
    host: '127.0.0.1',
    port: 5173,
    proxy: {
      '/api': process.env.API ?? 'http://127.0.0.1:8080',
      '/auth': process.env.API ?? 'http://127.0.0.1:8080',
    },
  },
})
