/** Asking for a code by text message: the wait before the next one, and what went wrong. */
import { ApiError, type CodeSent } from '@shared/api'
import { onBeforeUnmount, ref } from 'vue'
import { tp } from '../i18n/person'
import { say } from './say-form'

/** An 11-digit mainland mobile number, without the +86, blanks and dashes people type; or `undefined`. */
export function phoneOf(text: string): string | undefined {
  const digits = text
    .replace(/[０-９]/g, (digit) => String(digit.charCodeAt(0) - 0xff10))
    .replace(/[\s\-()（）]/g, '')
    .replace(/^(\+|00)?86(?=1\d{10}$)/, '')
  return /^1[3-9]\d{9}$/.test(digits) ? digits : undefined
}

export function useCode(send: (phone: string) => Promise<CodeSent>) {
  const busy = ref(false)
  /** Seconds until another code may be asked for. */
  const wait = ref(0)
  const sentTo = ref('')
  const error = ref('')
  let timer: ReturnType<typeof setInterval> | undefined

  function count(seconds: number): void {
    clearInterval(timer)
    wait.value = seconds
    timer = setInterval(() => {
      wait.value -= 1
      if (wait.value <= 0) clearInterval(timer)
    }, 1000)
  }

  /** Says whether a code is on its way. */
  async function ask(typed: string): Promise<boolean> {
    error.value = ''
    const phone = phoneOf(typed)
    if (!phone) {
      error.value = tp('err.phone_invalid')
      return false
    }
    if (busy.value || wait.value > 0) return false
    busy.value = true
    try {
      const sent = await send(phone)
      sentTo.value = phone
      count(sent.resend_after_s)
      return true
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure
      error.value = say(failure)
      const retry = failure.number('retry_after_s')
      if (failure.code === 'sms_too_soon' && retry) count(retry)
      return false
    } finally {
      busy.value = false
    }
  }

  onBeforeUnmount(() => clearInterval(timer))
  return { busy, wait, sentTo, error, ask }
}
