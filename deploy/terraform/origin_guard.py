import hmac, os
def handler(event, _):
    shown = (event.get("headers") or {}).get("x-handstamp-origin", "")
    return {"isAuthorized": hmac.compare_digest(shown.encode(), os.environ["SECRET"].encode())}
