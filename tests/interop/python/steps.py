"""What the clients in Python share: telling the judge, and a listener.

It knows no SOAP stack: a notification is handed on as bytes.
"""

import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer


def step(name, **values):
    """Tells the judge what a step gave and waits until it has looked."""
    print("step", name, *(f"{k}={v}" for k, v in values.items()), sep="\t", flush=True)
    if sys.stdin.readline().strip() != "go":
        sys.exit(1)


def seconds(duration):
    """The length of an xs:duration without years and months."""
    part = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?", duration)
    days, hours, minutes, rest = (int(p or 0) for p in part.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


class Listener(HTTPServer):
    """Takes notifications and keeps them."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard = []
        self.news = threading.Condition()
        self.url = f"http://127.0.0.1:{self.server_port}/consumer"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def until(self, wanted):
        """Waits for an envelope that wanted() makes something of, and returns that."""
        with self.news:
            while True:
                for envelope in self.heard:
                    if found := wanted(envelope):
                        return found
                if not self.news.wait(300):
                    sys.exit("no notification came")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        envelope = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.news:
            self.server.heard.append(envelope)
            self.server.news.notify()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        """Writes nothing."""
