/** Keys of a page: one letter each, as long as nobody is typing, no dialog is open and no modifier is held. */
import { onBeforeUnmount, onMounted } from 'vue'

/** Whether a key pressed there is text. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName))
  )
}

export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const pressed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || isTyping(event.target)) return
    if (document.querySelector('dialog[open], [aria-modal="true"]')) return
    const act = keys[event.key.toLowerCase()]
    if (!act) return
    event.preventDefault()
    act()
  }
  onMounted(() => addEventListener('keydown', pressed))
  onBeforeUnmount(() => removeEventListener('keydown', pressed))
}
