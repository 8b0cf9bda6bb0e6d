"""A requester that signs by hand and sends raw bytes, so that it can send what no SDK does.

It is written from the published algorithm and shares no code with the server or with the SDKs.
"""

import base64
import hashlib
import hmac
import json
import re
import socket
import time
from dataclasses import dataclass, field, replace
from http.client import HTTPResponse
from urllib.parse import quote

from cloud import DEADLINE

VERSIONS = {
    "cvm": "2017-03-12",
    "kms": "2019-01-18",
    "sts": "2018-08-13",
    "tag": "2018-08-13",
    "tcr": "2019-09-24",
}
REGIONLESS = {"sts", "cam"}
FORM = "application/x-www-form-urlencoded"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Request:
    """A request as it goes over the wire. Nothing is checked, completed or encoded."""

    method: str
    target: str
    headers: tuple = ()
    body: bytes = b""

    def with_header(self, name, value):
        """Puts `value` in place of the header's, or adds the header."""
        rest = self.without_header(name).headers
        return replace(self, headers=(*rest, (name, value)))

    def without_header(self, name):
        return replace(self, headers=tuple(pair for pair in self.headers if pair[0].lower() != name.lower()))

    def header(self, name):
        return next(value for sent, value in self.headers if sent.lower() == name.lower())

    def wire(self):
        headers = list(self.headers)
        if self.body or self.method == "POST":
            headers.append(("Content-Length", str(len(self.body))))
        headers.append(("Connection", "close"))
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


@dataclass(frozen=True)
class Reply:
    status: int
    headers: tuple
    body: bytes

    def header(self, name):
        return next((value for sent, value in self.headers if sent.lower() == name.lower()), None)

    @property
    def response(self):
        return json.loads(self.body)["Response"]

    @property
    def request_id(self):
        return self.response["RequestId"]

    @property
    def error(self):
        """Code and message, or `None`."""
        error = self.response.get("Error")
        return error and (error["Code"], error["Message"])


def send(address, request):
    """Sends a request on a connection of its own. The result is whatever came back."""
    with socket.create_connection(address, timeout=DEADLINE) as connection:
        connection.sendall(request.wire())
        response = HTTPResponse(connection, method=request.method)
        response.begin()
        return Reply(response.status, tuple(response.getheaders()), response.read())


# -- signature v3


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def hmac_sha256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


@dataclass(frozen=True)
class V3:
    """A request in the header style, and how it is signed. Change a field before `request()` to sign it otherwise."""

    secret_id: str
    secret_key: str
    host: str
    service: str
    action: str
    version: str
    region: str | None = None
    body: bytes = b"{}"
    method: str = "POST"
    query: str = ""
    content_type: str = "application/json"
    timestamp: int = field(default_factory=lambda: int(time.time()))
    extra: tuple = ()
    # How the signature is made, where that is not the plain way.
    scope_date: str | None = None
    scope_service: str | None = None
    signed_host: str | None = None
    signed_path: str = "/"
    signed: tuple = ("content-type", "host")
    lower_case: bool = False
    payload_hash: str | None = None

    def sent_headers(self):
        headers = [("Host", self.host), ("Content-Type", self.content_type)]
        headers += [("X-TC-Action", self.action), ("X-TC-Version", self.version), ("X-TC-Timestamp", str(self.timestamp))]
        if self.region is not None:
            headers.append(("X-TC-Region", self.region))
        return (*headers, *self.extra)

    @property
    def scope(self):
        date = self.scope_date or time.strftime("%Y-%m-%d", time.gmtime(self.timestamp))
        return f"{date}/{self.scope_service or self.service}/tc3_request"

    def canonical_request(self):
        sent = {name.lower(): value for name, value in self.sent_headers()}
        if self.signed_host is not None:
            sent["host"] = self.signed_host
        values = {name: sent[name].strip() for name in self.signed}
        if self.lower_case:
            values = {name: value.lower() for name, value in values.items()}
        headers = "".join(f"{name}:{values[name]}\n" for name in sorted(self.signed))
        payload = self.payload_hash or sha256(b"" if self.method == "GET" else self.body)
        names = ";".join(sorted(self.signed))
        return "\n".join([self.method, self.signed_path, self.query, headers, names, payload])

    def string_to_sign(self):
        hashed = sha256(self.canonical_request().encode())
        return "\n".join(["TC3-HMAC-SHA256", str(self.timestamp), self.scope, hashed])

    def signature(self):
        date, service, _ = self.scope.split("/")
        key = hmac_sha256(f"TC3{self.secret_key}".encode(), date)
        key = hmac_sha256(hmac_sha256(key, service), "tc3_request")
        return hmac_sha256(key, self.string_to_sign()).hex()

    def authorization(self):
        names = ";".join(sorted(self.signed))
        credential = f"{self.secret_id}/{self.scope}"
        return f"TC3-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={self.signature()}"

    def request(self, **changes):
        """The signed request, with `changes` made before the signature."""
        if changes:
            return replace(self, **changes).request()
        target = f"/?{self.query}" if self.query else "/"
        headers = (*self.sent_headers(), ("Authorization", self.authorization()))
        return Request(self.method, target, headers, b"" if self.method == "GET" else self.body)


# -- signature v1


def encoded(pairs):
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


@dataclass(frozen=True)
class V1:
    """A request in the parameter style. `parameters` are the action's own, flattened, as text."""

    secret_id: str
    secret_key: str
    host: str
    action: str
    version: str
    region: str | None = None
    parameters: tuple = ()
    method: str = "POST"
    signature_method: str | None = "HmacSHA256"
    timestamp: int = field(default_factory=lambda: int(time.time()))
    path: str = "/"

    def signed_parameters(self):
        common = [("Action", self.action), ("Version", self.version), ("Timestamp", str(self.timestamp))]
        common += [("Nonce", "11886"), ("SecretId", self.secret_id)]
        if self.region is not None:
            common.append(("Region", self.region))
        if self.signature_method is not None:
            common.append(("SignatureMethod", self.signature_method))
        return (*common, *self.parameters)

    def source(self):
        text = "&".join(f"{name}={value}" for name, value in sorted(self.signed_parameters()))
        return f"{self.method}{self.host}{self.path}?{text}"

    def signature(self):
        algorithm = hashlib.sha256 if self.signature_method == "HmacSHA256" else hashlib.sha1
        digest = hmac.new(self.secret_key.encode(), self.source().encode(), algorithm).digest()
        return base64.b64encode(digest).decode()

    def pairs(self):
        return [*self.signed_parameters(), ("Signature", self.signature())]

    def request(self, edit=lambda pairs: pairs, **changes):
        """The signed request, with `changes` made before the signature and `edit` applied to its pairs after."""
        if changes:
            return replace(self, **changes).request(edit)
        return self.carrying(encoded(edit(self.pairs())))

    def carrying(self, text):
        """A request of this style with `text` as its whole query or form."""
        if self.method == "GET":
            return Request("GET", f"{self.path}?{text}", (("Host", self.host),))
        return Request("POST", self.path, (("Host", self.host), ("Content-Type", FORM)), text.encode())


# -- calls


class ApiError(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Api:
    """Typed-in-haste calls of one cloud, for what a test needs but does not test."""

    def __init__(self, cloud, region="ap-guangzhou"):
        self.cloud, self.region = cloud, region

    def v3(self, product, action, **fields):
        region = None if product in REGIONLESS else self.region
        plain = {"host": self.cloud.authority, "action": action, "version": VERSIONS[product], "region": region}
        plain["service"] = product
        return V3(self.cloud.secret_id, self.cloud.secret_key, **(plain | fields))

    def v1(self, product, action, **fields):
        region = None if product in REGIONLESS else self.region
        plain = {"host": self.cloud.authority, "action": action, "version": VERSIONS[product], "region": region}
        return V1(self.cloud.secret_id, self.cloud.secret_key, **(plain | fields))

    def call(self, product, action, **parameters):
        reply = send(self.cloud.address, self.v3(product, action, body=json.dumps(parameters).encode()).request())
        if reply.error:
            raise ApiError(*reply.error)
        return reply.response
