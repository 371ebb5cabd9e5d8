"""Merchants of a third party's making against the simulator: wechatpayv3 and python-alipay-sdk, nothing changed but the host.

    python merchants_client.py wechatpay BASE_URL APPID OPENID NOTIFY_URL
    python merchants_client.py alipay BASE_URL NOTIFY_URL

The first places an order, has it paid on the payer's phone, asks, refunds, asks again and fetches the platform's key list;
the second does the same at Alipay, in key mode and in certificate mode. Each prints one JSON object with what it was told;
notices go to NOTIFY_URL, where the caller looks at them.
"""

import json
import os
import sys
import time

os.environ['TZ'] = 'Asia/Shanghai'
time.tzset()

import requests  # noqa: E402


def does(base, path, body=None):
    """What a payer does, over the simulator's own control interface."""
    answer = requests.post(base + path, json=body or {}, timeout=10)
    answer.raise_for_status()
    return answer.json()


def wechatpay(base, appid, openid, notify_url):
    from wechatpayv3 import WeChatPay, WeChatPayType

    keys = requests.get(base + '/sim/v1/wechatpay', timeout=10).json()
    shop = WeChatPay(
        wechatpay_type=WeChatPayType.JSAPI,
        mchid=keys['mchid'],
        private_key=keys['merchant_private_key'],
        cert_serial_no=keys['merchant_serial'],
        appid=appid,
        apiv3_key=keys['apiv3_key'],
        notify_url=notify_url,
        public_key=keys['public_key'],
        public_key_id=keys['public_key_id'],
    )
    shop._core._gate_way = base
    out = {}

    def ask(name, call):
        status, text = call
        out[name] = {'status': status, **(json.loads(text) if text else {})}
        return out[name]

    amount = {'total': 1250, 'currency': 'CNY'}
    ask('placed', shop.pay(description='挂号费-心内科', out_trade_no='PY20260000001', amount=amount, payer={'openid': openid}))
    ask('unpaid', shop.query(out_trade_no='PY20260000001'))
    does(base, '/sim/v1/wechatpay/orders/PY20260000001/pay')
    ask('paid', shop.query(out_trade_no='PY20260000001'))
    ask('close_refused', shop.close(out_trade_no='PY20260000001'))
    refund = {'refund': 250, 'total': 1250, 'currency': 'CNY'}
    ask('refunded', shop.refund(out_refund_no='PYRF1', amount=refund, out_trade_no='PY20260000001', reason='停诊'))
    ask('refund', shop.query_refund(out_refund_no='PYRF1'))
    ask('native', shop.pay(description='检查费', out_trade_no='PY20260000002', amount=amount, pay_type=WeChatPayType.NATIVE))
    ask('closed', shop.close(out_trade_no='PY20260000002'))
    return out


def wechatpay_notice(keys, headers, body):
    """Has wechatpayv3 open a notice that the caller received."""
    from wechatpayv3 import WeChatPay, WeChatPayType

    shop = WeChatPay(
        wechatpay_type=WeChatPayType.JSAPI,
        mchid=keys['mchid'],
        private_key=keys['merchant_private_key'],
        cert_serial_no=keys['merchant_serial'],
        appid='wx',
        apiv3_key=keys['apiv3_key'],
        public_key=keys['public_key'],
        public_key_id=keys['public_key_id'],
    )
    return shop.callback(headers=headers, body=body)


def alipay(base, notify_url):
    from alipay import AliPay, DCAliPay

    keys = requests.get(base + '/sim/v1/alipay', timeout=10).json()
    by_key = AliPay(
        appid=keys['app_id'],
        app_notify_url=notify_url,
        app_private_key_string=keys['app_private_key'],
        alipay_public_key_string=keys['alipay_public_key'],
        sign_type='RSA2',
    )
    by_certificate = DCAliPay(
        appid=keys['app_id'],
        app_notify_url=notify_url,
        app_private_key_string=keys['app_private_key'],
        app_public_key_cert_string=keys['app_certificate'],
        alipay_public_key_cert_string=keys['alipay_certificate'],
        alipay_root_cert_string=keys['roots'],
        sign_type='RSA2',
    )
    out = {}
    for name, shop in (('key', by_key), ('certificate', by_certificate)):
        shop._gateway = base + '/gateway.do'
        no = 'PY_' + name
        said = {}
        page = shop.api_alipay_trade_wap_pay('挂号费', no, '12.50', return_url='http://127.0.0.1/back?x=a b&y=1', notify_url=notify_url)
        said['page'] = requests.get(shop._gateway + '?' + page, timeout=10).status_code
        does(base, f'/sim/v1/alipay/trades/{no}/pay')
        said['paid'] = shop.api_alipay_trade_query(out_trade_no=no)
        said['refunded'] = shop.api_alipay_trade_refund('2.50', out_trade_no=no, out_request_no='RF_' + name)
        said['refund'] = shop.api_alipay_trade_fastpay_refund_query('RF_' + name, out_trade_no=no)
        out[name] = said
    return out


def alipay_notice(keys, body):
    """Has python-alipay-sdk check a notice that the caller received."""
    from urllib.parse import parse_qsl

    from alipay import AliPay

    shop = AliPay(
        appid=keys['app_id'],
        app_private_key_string=keys['app_private_key'],
        alipay_public_key_string=keys['alipay_public_key'],
        sign_type='RSA2',
    )
    members = dict(parse_qsl(body, keep_blank_values=True))
    signature = members.pop('sign')
    return {'fits': shop.verify(members, signature), 'trade_status': members['trade_status']}


if __name__ == '__main__':
    jobs = {'wechatpay': wechatpay, 'alipay': alipay}
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] in jobs:
        result = jobs[sys.argv[1]](*sys.argv[2:])
    else:
        given = json.load(sys.stdin)
        result = {'wechatpay_notice': wechatpay_notice, 'alipay_notice': alipay_notice}[sys.argv[1]](**given)
    print(json.dumps(result, ensure_ascii=False))
