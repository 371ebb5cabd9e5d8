/** Whether WeChat shows this page (and not WeCom, which has other rules). */
export function inWeChat(agent = navigator.userAgent): boolean {
  return /MicroMessenger/i.test(agent) && !/wxwork/i.test(agent)
}
