import { onMounted, shallowRef, type Component, type ShallowRef } from 'vue'

/** A component that is fetched once the screen stands; nothing is shown in its place until then. */
export function later(load: () => Promise<{ default: Component }>): ShallowRef<Component | undefined> {
  const component: ShallowRef<Component | undefined> = shallowRef()
  onMounted(() => {
    load().then(
      (module) => {
        component.value = module.default
      },
      () => undefined,
    )
  })
  return component
}
