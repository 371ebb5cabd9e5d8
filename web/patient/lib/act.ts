/** One act at a time, with why it failed in words. */
import { ApiError } from '@shared/api'
import { ref, type Ref } from 'vue'
import { say } from './say-wait'

export interface Act {
  /** What is under way, by the name it was given. */
  busy: Ref<string>
  problem: Ref<string>
  run: <T>(name: string, act: () => Promise<T>) => Promise<T | undefined>
}

export function useAct(): Act {
  const busy = ref('')
  const problem = ref('')
  return {
    busy,
    problem,
    async run(name, act) {
      if (busy.value) return undefined
      busy.value = name
      problem.value = ''
      try {
        return await act()
      } catch (failure) {
        if (!(failure instanceof ApiError)) throw failure
        problem.value = say(failure)
        return undefined
      } finally {
        busy.value = ''
      }
    },
  }
}
