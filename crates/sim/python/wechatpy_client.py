"""A third party's SDK against the simulator: wechatpy, with nothing changed but the host.

    python wechatpy_client.py BASE_URL APPID SECRET OPENID TEMPLATE_ID [DATA_JSON]

fetches a token, creates a menu, makes a parametric code and shows its picture, and sends a customer-service and a template
message. Prints one JSON object with what each call answered; the exit status says whether all went well. DATA_JSON gives
the template's fields; without it, the fields of the account's own example are used.
"""

import json
import sys

import requests
from wechatpy import WeChatClient


def client_for(base):
    """wechatpy's client with another host; everything else is wechatpy's own."""

    class SimulatedWeChatClient(WeChatClient):
        API_BASE_URL = base + '/cgi-bin/'

        def fetch_access_token(self):
            return self._fetch_access_token(
                url=base + '/cgi-bin/token',
                params={
                    'grant_type': 'client_credential',
                    'appid': self.appid,
                    'secret': self.secret,
                },
            )

    return SimulatedWeChatClient


def example_of(client, template_id):
    """Field values from the template's own example: its lines stand in the same order as the content's."""
    found = next(t for t in client.template.get_all_private_template()['template_list'] if t['template_id'] == template_id)
    data = {}
    for content, example in zip(found['content'].splitlines(), found['example'].splitlines()):
        key = content.split('{{')[1].split('.DATA')[0]
        data[key] = {'value': example.split('：', 1)[1]}
    return data


def main(base, appid, secret, openid, template_id, data=None):
    base = base.rstrip('/')
    client = client_for(base)(appid, secret)
    out = {'token': len(client.access_token)}
    out['menu'] = client.menu.create(
        {
            'button': [
                {'type': 'view', 'name': '挂号', 'url': 'http://127.0.0.1/departments'},
                {'name': '我的', 'sub_button': [{'type': 'click', 'name': '我的预约', 'key': 'mine'}]},
            ]
        }
    )
    out['menu_read'] = client.menu.get()
    out['code'] = client.qrcode.create(
        {
            'expire_seconds': 1800,
            'action_name': 'QR_STR_SCENE',
            'action_info': {'scene': {'scene_str': 'from-wechatpy'}},
        }
    )
    picture = requests.get(base + '/cgi-bin/showqrcode', params={'ticket': out['code']['ticket']}, timeout=10)
    out['picture'] = {'status': picture.status_code, 'type': picture.headers['Content-Type'], 'bytes': len(picture.content)}
    out['user'] = client.user.get(openid)
    out['custom'] = client.message.send_text(openid, '您好，这是一条客服消息 <https://github.com/wechatpy/wechatpy>')
    fields = json.loads(data) if data else example_of(client, template_id)
    out['template'] = client.message.send_template(openid, template_id, fields, url='http://127.0.0.1/appointments')
    print(json.dumps(out, ensure_ascii=False))


if __name__ == '__main__':
    if len(sys.argv) not in (6, 7):
        sys.exit(__doc__)
    main(*sys.argv[1:])
