import { useRouter } from 'vue-router'
import { leaveForWeChat } from './session'

/** Begins to sign in and to come back to `to`: through WeChat where that works, else with a phone number. */
export function useSignIn(): (to: string) => void {
  const router = useRouter()
  return (to) => {
    if (!leaveForWeChat(to)) void router.push({ path: '/sign-in', query: { to } })
  }
}
