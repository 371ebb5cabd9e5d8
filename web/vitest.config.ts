import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

// Far from the hospital's zone on purpose: times on screen must not follow the phone's clock zone.
process.env.TZ = 'America/New_York'

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { '@shared': fileURLToPath(new URL('./shared', import.meta.url)) } },
  test: {
    environment: 'happy-dom',
    include: ['{shared,patient,console,screens,simulator}/**/*.test.ts'],
    testTimeout: 20_000,
    // Its parts bring their styles along, which only Vite can read.
    server: { deps: { inline: ['element-plus'] } },
    restoreMocks: true,
    unstubGlobals: true,
  },
})
