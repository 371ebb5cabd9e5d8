import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const api = process.env.API ?? 'http://127.0.0.1:8080'

/** The console: for desks, with a kit of its own, so it shares none of the patient app's thrift. */
export default defineConfig({
  root: here('./console'),
  base: '/console/',
  plugins: [vue()],
  resolve: { alias: { '@shared': here('./shared') } },
  define: {
    __VUE_OPTIONS_API__: 'true',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
  },
  build: {
    outDir: here('./dist/console'),
    emptyOutDir: true,
    manifest: true,
    target: ['es2020', 'chrome80', 'safari14'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { host: '127.0.0.1', port: 5174, proxy: { '/api': api, '/auth': api } },
})
