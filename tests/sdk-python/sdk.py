"""Clients of the official Python SDK, pointed at a cloud."""

from urllib.parse import urlsplit

from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

# Every way in which the SDK can sign and send.
WAYS = [(sign, method) for sign in ("TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256") for method in ("POST", "GET")]


def profile(cloud, sign="TC3-HMAC-SHA256", method="POST", language="en-US", unsigned=False, tls=None):
    """A profile for HTTP, or for HTTPS where `tls` names the file of the authority."""
    url = urlsplit(cloud.endpoints["https" if tls else "http"])
    http = HttpProfile(protocol=url.scheme, endpoint=url.netloc, reqMethod=method, certification=tls)
    made = ClientProfile(signMethod=sign, httpProfile=http, language=language)
    made.unsignedPayload = unsigned
    return made


def credential(cloud, **changes):
    return Credential(**({"secret_id": cloud.secret_id, "secret_key": cloud.secret_key} | changes))
