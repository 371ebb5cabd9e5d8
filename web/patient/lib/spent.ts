/**
 * Forms that have done their work. The page of a booked time may still stand in the browser's history (from before the
 * sign-in, say): going back to it leads to the visit instead. Going there anew, for another person, does not.
 */
import { onBeforeUnmount, onMounted } from 'vue'
import { useRouter } from 'vue-router'

const NAME = 'xl.spent'

let back = typeof performance !== 'undefined' && wentBack()

function wentBack(): boolean {
  const [entry] = performance.getEntriesByType?.('navigation') ?? []
  return (entry as PerformanceNavigationTiming | undefined)?.type === 'back_forward'
}

// Listening from the first moment: the router, made later, acts on a step right when it hears of it.
let stepped = false
if (typeof addEventListener !== 'undefined') {
  addEventListener('popstate', () => {
    stepped = true
  })
}

/** Told by the router before each step: notes whether the browser's own history led to it. */
export function arriving(): void {
  back = stepped
  stepped = false
}

function all(): Record<string, string> {
  try {
    return JSON.parse(sessionStorage.getItem(NAME) ?? '{}') as Record<string, string>
  } catch {
    return {}
  }
}

function put(spent: Record<string, string>): void {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(spent))
  } catch {
    // Without storage the form is shown again; the server refuses the second visit.
  }
}

/** The form of a slot has become a visit. */
export function spend(slot: string, visit: string): void {
  put({ ...all(), [slot]: visit })
}

/** The visit is given up: its form may be used again. */
export function unspend(visit: string): void {
  put(Object.fromEntries(Object.entries(all()).filter(([, id]) => id !== visit)))
}

/** In the form of a slot: leaves for the visit when the person came back to it. */
export function useSpent(slot: () => string): void {
  const router = useRouter()
  const leave = (): void => {
    const visit = all()[slot()]
    if (visit) void router.replace(`/appointments/${visit}`)
  }
  const shown = (event: PageTransitionEvent): void => {
    if (event.persisted) leave()
  }
  onMounted(() => {
    if (back) leave()
    addEventListener('pageshow', shown)
  })
  onBeforeUnmount(() => removeEventListener('pageshow', shown))
}
