"""A server on a real socket that writes down what a vendor's client asks and answers what the test says."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """Method, path with query, the body as it came, unzipped, and the server's own address."""

    method: str
    path: str
    body: bytes
    host: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answering:
    """`answer` gives status, headers and content for a request."""

    answer: Callable[[Request], tuple[int, dict[str, str], object]]
    url: str = ""
    port: int = 0
    requests: list[Request] = field(default_factory=list)


@contextmanager
def answering(answer: Callable[[Request], tuple[int, dict[str, str], object]]) -> Iterator[Answering]:
    served = Answering(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            request = Request(self.command, self.path, body, served.url)
            served.requests.append(request)
            status, headers, content = served.answer(request)
            payload = json.dumps(content).encode() if content is not None else b""
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(payload)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_PUT = do_DELETE = _any

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.port = server.server_address[1]
    served.url = f"http://127.0.0.1:{served.port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
