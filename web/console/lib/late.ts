import { wordsReady } from '@shared/i18n/i18n'
import type { Component } from 'vue'

/** A page whose words come with it, and not with the console's first load: shown once they are there in the page's language. */
export function late(load: () => Promise<{ default: Component }>): () => Promise<{ default: Component }> {
  return async () => {
    const page = await load()
    await wordsReady()
    return page
  }
}
