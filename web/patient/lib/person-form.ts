/** What the two person forms share: keeping what was typed, the summary of what is wrong, and leaving when it is done. */
import { ApiError, type Person } from '@shared/api'
import { computed, reactive, ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { say } from './say-form'
import { forget } from './resource'
import { loadSession, safePath } from './session'

/** Which field of ours a problem belongs to. */
const FIELD_OF: Record<string, string> = {
  name_invalid: 'name',
  document_invalid: 'number',
  document_taken: 'number',
  phone_invalid: 'phone',
  code_wrong: 'code',
  code_expired: 'code',
  too_many_tries: 'code',
  consent_required: 'consent',
}

export function usePersonForm() {
  const route = useRoute()
  const router = useRouter()
  const busy = ref(false)
  const faults = reactive<Record<string, string>>({})
  const summary = ref<{ id?: string; text: string }[]>([])
  const to = computed(() => (route.query.to ? safePath(route.query.to) : '/persons'))

  function show(found: Record<string, string>): boolean {
    for (const name of Object.keys(faults)) delete faults[name]
    Object.assign(faults, found)
    summary.value = Object.entries(found).map(([id, text]) => (id === 'form' ? { text } : { id, text }))
    return summary.value.length > 0
  }

  /** Sends the form. `special` may take a problem for itself. */
  async function send(work: () => Promise<Person>, special?: (problem: ApiError) => boolean): Promise<void> {
    if (busy.value) return
    busy.value = true
    try {
      const person = await work()
      forget('mine:')
      await loadSession().catch(() => undefined)
      const next = router.resolve(to.value)
      await router.replace({
        path: next.path,
        query: { ...next.query, ...(next.path === '/confirm' ? { person: person.id } : {}) },
      })
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure
      if (special?.(failure)) return
      show({ [FIELD_OF[failure.code] ?? 'form']: say(failure) })
    } finally {
      busy.value = false
    }
  }

  return { busy, faults, summary, show, send, to }
}
