"""A client of the distribution protocol that sends what it is told, path and all, and shows what came back."""

import base64
import json
import re
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import images
from cloud import DEADLINE


@dataclass(frozen=True)
class Login:
    """Where a registry is and who comes. Without a user name it is nobody."""

    host: str
    username: str | None = None
    password: str | None = None

    def anonymous(self):
        return Login(self.host)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: tuple
    body: bytes

    def header(self, name):
        return next((value for sent, value in self.headers if sent.lower() == name.lower()), None)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def codes(self):
        """The error codes of the distribution specification."""
        return [error["code"] for error in self.json["errors"]]


def ask(host, method, path, headers=(), body=None):
    """One exchange. `body` may be bytes or an iterable of chunks, which is sent with chunked coding."""
    connection = HTTPConnection(host, timeout=4 * DEADLINE)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in dict(headers).items():
            connection.putheader(name, value)
        chunked = body is not None and not isinstance(body, bytes)
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        elif body is not None or method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(body or b"")))
        connection.endheaders(body, encode_chunked=chunked)
        response = connection.getresponse()
        return Reply(response.status, tuple(response.getheaders()), response.read())
    finally:
        connection.close()


def challenge(reply):
    """The parameters of a Bearer challenge."""
    scheme, _, rest = reply.header("WWW-Authenticate").partition(" ")
    assert scheme == "Bearer"
    return dict(re.findall(r'(\w+)="([^"]*)"', rest))


class Registry:
    """A registry to one who logs in as `login`."""

    def __init__(self, login):
        self.login = login

    def basic(self):
        if self.login.username is None:
            return {}
        pair = f"{self.login.username}:{self.login.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def ask_token(self, *scopes):
        query = urlencode([("service", "harbor-registry"), *(("scope", scope) for scope in scopes)])
        return ask(self.login.host, "GET", f"/service/token?{query}", self.basic())

    def bearer(self, *scopes):
        reply = self.ask_token(*scopes)
        assert reply.status == 200, reply.body
        return {"Authorization": f"Bearer {reply.json['token']}"}

    def repository(self, name, also=()):
        """The repository, with every right that the login has there, and pull in `also`."""
        scopes = [f"repository:{name}:pull,push,delete", *(f"repository:{other}:pull" for other in also)]
        return Repository(self.login.host, name, self.bearer(*scopes))


class Repository:
    """Requests below one repository."""

    def __init__(self, host, name, headers):
        self.host, self.name, self.headers = host, name, headers

    def ask(self, method, path, headers=(), body=None):
        """`path` is relative to the repository, or a location that the registry gave."""
        if path.startswith(("http://", "https://")):
            parts = urlsplit(path)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
        elif not path.startswith("/"):
            path = f"/v2/{self.name}/{path}"
        return ask(self.host, method, path, self.headers | dict(headers), body)

    def get(self, path, **headers):
        return self.ask("GET", path, {name.replace("_", "-"): value for name, value in headers.items()})

    def head(self, path):
        return self.ask("HEAD", path)

    def delete(self, path):
        return self.ask("DELETE", path)

    # -- uploads

    def begin(self, query=""):
        """Opens an upload. The result is where it goes on."""
        reply = self.ask("POST", f"blobs/uploads/{query}")
        assert reply.status == 202, reply.body
        return reply.header("Location")

    def append(self, location, chunk, first=None):
        """Sends a chunk, with the range it claims where `first` is given."""
        headers = {"Content-Type": "application/octet-stream"}
        if first is not None:
            headers["Content-Range"] = f"{first}-{first + len(chunk) - 1}"
        return self.ask("PATCH", location, headers, chunk)

    def finish(self, location, digest, last=b""):
        return self.ask("PUT", f"{location}{'&' if '?' in location else '?'}digest={digest}", body=last)

    def put_blob(self, content):
        """Pushes a blob the short way. The result is its digest."""
        reply = self.finish(self.begin(), images.digest(content), content)
        assert reply.status == 201, reply.body
        return images.digest(content)

    # -- manifests

    def put_manifest(self, reference, content, media_type=images.MANIFEST):
        return self.ask("PUT", f"manifests/{reference}", {"Content-Type": media_type}, content)

    def put_layout(self, layout):
        """Pushes everything in a layout and tags it."""
        manifests = [content for content in layout.blobs.values() if is_manifest(content)]
        for content in layout.blobs.values():
            if content not in manifests:
                self.put_blob(content)
        for content in manifests:
            if content != layout.top:
                assert self.put_manifest(images.digest(content), content).status == 201
        reply = self.put_manifest(layout.tag, layout.top, layout.media_type)
        assert reply.status == 201, reply.body
        return reply


def is_manifest(content):
    return content.startswith(b'{"schemaVersion"')
