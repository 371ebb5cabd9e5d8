/** Finds elements as a person with a screen reader does: by role and name. For tests in a simulated browser. */

const SELECTORS = {
  button: 'button, [role="button"]',
  link: 'a[href]',
  heading: 'h1, h2, h3, h4',
  textbox: 'input:not([type]), input[type="text"], input[type="tel"], input[type="date"], textarea',
  searchbox: 'input[type="search"]',
  radio: 'input[type="radio"]',
  checkbox: 'input[type="checkbox"]',
  combobox: 'select',
  dialog: 'dialog[open]',
  alert: '[role="alert"]',
  status: '[role="status"]',
  navigation: 'nav',
  img: '[role="img"]',
} as const

export type Role = keyof typeof SELECTORS

const squeeze = (text: string): string => text.replace(/[\s\u2060]+/g, ' ').trim()

/** The accessible name, as far as our pages need its rules. */
export function nameOf(element: Element): string {
  const label = element.getAttribute('aria-label')
  if (label) return squeeze(label)
  const by = element.getAttribute('aria-labelledby')
  if (by)
    return squeeze(
      by
        .split(' ')
        .map((id) => document.getElementById(id)?.textContent ?? '')
        .join(' '),
    )
  if (element.id) {
    const own = document.querySelector(`label[for="${element.id}"]`)
    if (own) return squeeze(own.textContent ?? '')
  }
  const around = element.matches('input') ? element.closest('label') : null
  return squeeze((around ?? element).textContent ?? '')
}

/** All elements of a role, and where wanted of a name. */
export function allByRole(role: Role, name?: string | RegExp): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(SELECTORS[role])].filter((element) => {
    if (name === undefined) return true
    const is = nameOf(element)
    return typeof name === 'string' ? is === name : name.test(is)
  })
}

/** The one element of a role and name; fails with what is there instead. */
export function byRole(role: Role, name?: string | RegExp): HTMLElement {
  const found = allByRole(role, name)
  if (found.length === 1 && found[0]) return found[0]
  const there = allByRole(role).map((element) => `“${nameOf(element)}”`)
  throw new Error(`${found.length} × ${role} ${name ?? ''}; there are: ${there.join(', ')}`)
}

/** Types into a field as a person does. */
export function type(field: HTMLElement, text: string): void {
  const input = field as HTMLInputElement
  input.value = text
  input.dispatchEvent(new Event('input', { bubbles: true }))
}

/** Chooses a radio button or ticks a box. */
export function choose(field: HTMLElement): void {
  const input = field as HTMLInputElement
  input.checked = true
  input.dispatchEvent(new Event('change', { bubbles: true }))
}

/** How long a condition may take to come true, ms: a screen's parts are compiled when they are first asked for. */
const DEADLINE_MS = 10_000

/** Waits until something holds; fails with the last reason when the deadline passes. */
export async function until<T>(check: () => T): Promise<T> {
  const end = Date.now() + DEADLINE_MS
  for (;;) {
    try {
      return check()
    } catch (failure) {
      if (Date.now() > end) throw failure
    }
    await new Promise((resume) => setTimeout(resume, 1))
  }
}
