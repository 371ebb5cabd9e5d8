// A merchant of a third party's making against the simulator: alipay-sdk, nothing changed but the host.
//
//   node alipay_client.mjs BASE_URL NOTIFY_URL          places, asks, refunds; prints one JSON object
//   node alipay_client.mjs notice BASE_URL < body       checks a notice that the caller received
//
// In key mode and in certificate mode.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

process.env.TZ = 'Asia/Shanghai'
const { AlipaySdk } = await import('alipay-sdk')

const [first, second] = process.argv.slice(2)
const notice = first === 'notice'
const base = notice ? second : first
const keys = await (await fetch(`${base}/sim/v1/alipay`)).json()
const common = {
  appId: keys.app_id,
  privateKey: keys.app_private_key,
  keyType: 'PKCS8',
  signType: 'RSA2',
  gateway: `${base}/gateway.do`,
}
const folder = mkdtempSync(join(tmpdir(), 'alipay-'))
const file = (name, text) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const shops = {
  key: new AlipaySdk({ ...common, alipayPublicKey: keys.alipay_public_key }),
  certificate: new AlipaySdk({
    ...common,
    appCertPath: file('app.crt', keys.app_certificate),
    alipayPublicCertPath: file('alipay.crt', keys.alipay_certificate),
    alipayRootCertPath: file('root.crt', keys.roots),
  }),
}

if (notice) {
  const members = Object.fromEntries(new URLSearchParams(readFileSync(0, 'utf8')))
  console.log(JSON.stringify({ fits: shops.key.checkNotifySignV2(members) }))
} else {
  const out = {}
  for (const [name, shop] of Object.entries(shops)) {
    const no = `NODE_${name}`
    const said = {}
    const order = { out_trade_no: no, total_amount: '12.50', subject: '挂号费/心内科', product_code: 'JSAPI_PAY', buyer_id: '2088' }
    said.created = await shop.exec('alipay.trade.create', { notify_url: second, bizContent: order }, { validateSign: true })
    await fetch(`${base}/sim/v1/alipay/trades/${no}/pay`, { method: 'POST', body: '{}' })
    const ask = (method, content) => shop.exec(method, { bizContent: { out_trade_no: no, ...content } }, { validateSign: true })
    said.paid = await ask('alipay.trade.query', {})
    said.refunded = await ask('alipay.trade.refund', { refund_amount: '2.50', out_request_no: `RF_${name}` })
    said.refund = await ask('alipay.trade.fastpay.refund.query', { out_request_no: `RF_${name}` })
    out[name] = said
  }
  console.log(JSON.stringify(out))
}
