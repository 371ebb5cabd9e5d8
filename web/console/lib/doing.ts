/** One act at a time: whether it is under way, and why it failed. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { ApiError } from './api'

export interface Doing {
  busy: Ref<boolean>
  problem: ShallowRef<ApiError | undefined>
  /** Does it, unless it is under way already. `undefined` when it failed; then `problem` says why. */
  run: <T>(act: () => Promise<T>) => Promise<T | undefined>
}

export function useDoing(): Doing {
  const busy = ref(false)
  const problem = shallowRef<ApiError>()
  return {
    busy,
    problem,
    async run(act) {
      if (busy.value) return undefined
      busy.value = true
      problem.value = undefined
      try {
        return await act()
      } catch (failure) {
        if (!(failure instanceof ApiError)) throw failure
        problem.value = failure
        return undefined
      } finally {
        busy.value = false
      }
    },
  }
}

/** What a problem says about a field. */
export function fieldProblem(problem: ApiError | undefined, field: string): string | undefined {
  return problem?.problem.fields?.find((one) => one.field === field)?.detail
}
