"""What our callback entrance does at the least, with wechatpy: verify, decrypt, parse, and answer people encrypted.

A plain WSGI function without a framework: that is wechatpy at its fastest. It keeps nothing, and does nothing afterwards.
"""
import os
from urllib.parse import parse_qs

from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto

CRYPTO = WeChatCrypto(os.environ["BENCH_TOKEN"], os.environ["BENCH_KEY"], os.environ["BENCH_APP_ID"])
# The text that our entrance answers with, as long as that.
TEXT = os.environ["BENCH_TEXT"]
SPOKEN_TO = {"text", "subscribe", "click", "scan"}


def application(environ, start_response):
    if environ["REQUEST_METHOD"] != "POST":
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return [b""]
    query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    opened = CRYPTO.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
    message = parse_message(opened)
    kind = message.event if message.type == "event" else message.type
    if kind in SPOKEN_TO:
        reply = create_reply(TEXT, message).render()
        answer = CRYPTO.encrypt_message(reply, query["nonce"], query["timestamp"]).encode()
    else:
        answer = b"success"
    start_response("200 OK", [("Content-Type", "text/xml"), ("Content-Length", str(len(answer)))])
    return [answer]
