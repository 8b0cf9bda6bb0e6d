"""A relay in front of a cloud that keeps what it saw, and can write a body anew on the way."""

import http.client
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cloud import DEADLINE


class Relay(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, cloud, rewrite):
        super().__init__(("127.0.0.1", 0), Passage)
        self.cloud, self.rewrite, self.seen = cloud, rewrite, []

    @property
    def authority(self):
        return "{}:{}".format(*self.server_address)


class Passage(BaseHTTPRequestHandler):
    """One request on its way: every header as it came, but for the length of the body."""

    def do_GET(self):
        self.server.seen.append(self.headers)
        body = self.server.rewrite(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        onward = http.client.HTTPConnection(*self.server.cloud.address, timeout=DEADLINE)
        onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("content-length", "connection"):
                onward.putheader(name, value)
        onward.putheader("Content-Length", str(len(body)))
        onward.endheaders(body)
        reply = onward.getresponse()
        told = reply.read()
        onward.close()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.headers["Content-Type"])
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_POST = do_GET

    def log_message(self, *arguments):
        """A test says what it asserts; the requests are in `seen`."""


@contextmanager
def relayed(cloud, rewrite=lambda body: body):
    with Relay(cloud, rewrite) as relay:
        threading.Thread(target=relay.serve_forever, args=[0.01], daemon=True).start()
        yield relay
        relay.shutdown()
