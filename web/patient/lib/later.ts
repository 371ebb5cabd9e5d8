import { wordsReady } from '@shared/i18n/i18n'
import { shallowRef, watch, type Component, type ShallowRef } from 'vue'

/** A component that is fetched once it is `wanted`, with its words; nothing is shown in its place until then. */
export function later(
  load: () => Promise<{ default: Component }>,
  wanted: () => boolean = () => true,
): ShallowRef<Component | undefined> {
  const component: ShallowRef<Component | undefined> = shallowRef()
  const stop = watch(
    wanted,
    async (now) => {
      if (!now || component.value) return
      try {
        const module = await load()
        await wordsReady()
        component.value = module.default
        stop()
      } catch {
        // Tried again when it is wanted again.
      }
    },
    { immediate: true },
  )
  return component
}
