import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { cspHashes, routeParts } from './scripts/csp.mjs'

// One build per app: a shared build would put code of one app into the chunks of another.
const app = process.env.APP ?? 'patient'
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
if (!existsSync(here(`./${app}/index.html`))) {
  throw new Error(`APP=${app}: there is no ${app}/index.html`)
}

/** Modules that every screen of an app needs. */
const firstLoad =
  /node_modules\/(@vue|vue|vue-router|openapi-fetch)\/|\/shared\/(api|agent|format|i18n\/\w+|ui\/(AppBar|Btn|Cell|EmptyState|Notice|Skeleton))\.|plugin-vue:export-helper|vite\/preload-helper|patient\/(i18n\/(zh\/)?core\.|lib\/(clinics|page|resource|session)\.|parts\/(Screen|Tabs|Loaded)\.)/

export default defineConfig({
  root: here(`./${app}`),
  // Where the files are served: "/" unless the app lives under a path of its own.
  base: process.env.APP_BASE ?? '/',
  plugins: [vue(), routeParts(), cspHashes()],
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
    rolldownOptions: {
      output: {
        // What the first screen needs comes in one file: each further file costs a slow network a turn of its own.
        codeSplitting: { groups: [{ name: 'first', test: firstLoad }] },
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
