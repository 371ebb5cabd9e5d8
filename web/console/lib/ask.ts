/** Asks once before something that can't be undone; and says briefly that something was done. */
import { shallowRef } from 'vue'

export interface Question {
  title: string
  text?: string
  /** What the button says: the act itself, not "OK". */
  verb: string
  danger?: boolean
}

interface Asked extends Question {
  answer: (yes: boolean) => void
}

export const asked = shallowRef<Asked>()

/** Resolves when the person has chosen. */
export function ask(question: Question): Promise<boolean> {
  asked.value?.answer(false)
  return new Promise((resolve) => {
    asked.value = {
      ...question,
      answer: (yes) => {
        asked.value = undefined
        resolve(yes)
      },
    }
  })
}

export const said = shallowRef<string>()
let timer: ReturnType<typeof setTimeout> | undefined

/** Says that something was done; it goes by itself. */
export function say(text: string): void {
  said.value = text
  clearTimeout(timer)
  timer = setTimeout(() => {
    said.value = undefined
  }, 5000)
}
