/** What the two person forms share: keeping what was typed, the summary of what is wrong, and leaving when it is done. */
import { ApiError, type Person } from '@shared/api'
import { computed, reactive, ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { lookPerson } from '../i18n/person'
import { say } from './say-form'
import { forget } from './resource'
import { loadSession, safePath } from './session'

/** Which of our fields the server's names mean. */
const FIELD_OF: Record<string, string> = {
  name: 'name',
  'document.number': 'number',
  number: 'card',
  'document.country': 'country',
  document_last4: 'last4',
  birth_date: 'birth',
  sex: 'sex-choice',
  phone: 'phone',
  code: 'code',
  consent_version: 'consent',
  guardian_consent: 'guardian',
}

/** All that the server finds wrong, at our fields; what belongs to none stands above the form. */
function faultsOf(failure: ApiError): Record<string, string> {
  const found: Record<string, string> = {}
  for (const { field, code, detail } of failure.problem.fields ?? []) {
    const id = FIELD_OF[field]
    // The problem's own code knows more (tries left, reason) than the field's.
    if (id)
      found[id] = code === failure.code ? say(failure) : (lookPerson(`err.${code}`) ?? detail ?? say(failure))
  }
  return Object.keys(found).length ? found : { form: say(failure) }
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
      show(faultsOf(failure))
    } finally {
      busy.value = false
    }
  }

  return { busy, faults, summary, show, send, to }
}
