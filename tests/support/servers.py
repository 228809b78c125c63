"""Servers of files on this machine: a plain web server that can be slow, broken or confused, and moto's S3."""

import hashlib
import http.client
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote


@dataclass
class Behaviour:
    """How a web server answers."""

    latency: float = 0.0
    """Seconds before each answer."""
    ranges: bool = True
    tags: bool = True
    dates: bool = True
    moved: dict[str, str] = field(default_factory=dict)
    """Paths from which a client is sent on, and the addresses to which."""
    dropped: int = 0
    """How many answers break off in the middle, from now on."""
    stalled: int = 0
    """How many answers stop in the middle without an end, from now on."""
    refused: int = 0
    """How many requests are answered with `refusal`, from now on."""
    refusal: tuple[int, bytes] = (503, b"")
    changed: str = "Tue, 01 Sep 2026 10:00:00 GMT"
    """When the files were changed, if a server says so."""
    after: Callable[[], None] = lambda: None
    """Called after each answer."""
    before: Callable[[str, tuple[int, int]], None] = lambda path, part: None
    """Called with the path and the bytes that are asked for, before each answer."""


@dataclass
class Asked:
    """A request: method, path with query, the bytes that were asked for, and the headers."""

    method: str
    path: str
    part: tuple[int, int] | None
    headers: dict[str, str]


@dataclass
class WebServer:
    """A web server of files that are in memory, by their paths."""

    files: dict[str, bytes] = field(default_factory=dict)
    behaviour: Behaviour = field(default_factory=Behaviour)
    asked: list[Asked] = field(default_factory=list)
    context: Any = None
    """The certificate of an https server."""
    _tags: dict[int, tuple[bytes, str]] = field(default_factory=dict, repr=False)

    def __enter__(self) -> Self:
        outer = self

        class Handler(_Handler):
            server_of_files = outer

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if self.context is not None:
            self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"{'http' if self.context is None else 'https'}://127.0.0.1:{self.server.server_port}"

    def tag(self, data: bytes) -> str:
        """Return the ETag of a file, which is computed once."""
        if self._tags.get(id(data), (None, ""))[0] is not data:
            self._tags[id(data)] = data, f'"{hashlib.md5(data).hexdigest()}"'
        return self._tags[id(data)][1]

    @property
    def sent(self) -> int:
        """The number of bytes that were asked for."""
        return sum(asked.part[1] - asked.part[0] for asked in self.asked if asked.part)


class _Server(ThreadingHTTPServer):
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that goes away


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of_files: WebServer
    wbufsize = 1 << 16

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self) -> None:
        server, how = self.server_of_files, self.server_of_files.behaviour
        path = unquote(self.path.partition("?")[0])
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if path in how.moved:
            self.send_response(302)
            self.send_header("Location", how.moved[path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = server.files.get(path)
        if data is None:
            self._say(404, b"<html>not found</html>")
            return
        part = (
            (int(wanted[1]), min(int(wanted[2] or len(data)) + 1, len(data)))
            if wanted and how.ranges
            else (0, len(data))
        )
        server.asked.append(Asked(self.command, self.path, part if wanted else None, dict(self.headers)))
        how.before(path, part)
        time.sleep(how.latency)
        data = server.files[path]
        if how.refused:
            how.refused -= 1
            self._say(*how.refusal)
            return
        tag = server.tag(data)
        if how.tags and self.headers.get("If-Match", tag) != tag:
            self._say(412, b"")
            return
        if part[0] >= part[1]:
            self._say(416 if wanted else 200, b"")
            return
        self.send_response(206 if wanted and how.ranges else 200)
        if wanted and how.ranges:
            self.send_header("Content-Range", f"bytes {part[0]}-{part[1] - 1}/{len(data)}")
        if how.tags:
            self.send_header("ETag", tag)
        if how.dates:
            self.send_header("Last-Modified", how.changed)
        self.send_header("Content-Length", str(part[1] - part[0]))
        self.end_headers()
        if self.command == "HEAD":
            return
        view = memoryview(data)[slice(*part)]
        if how.stalled:
            how.stalled -= 1
            self.wfile.write(view[: len(view) // 2])
            self.wfile.flush()
            time.sleep(0.6)
            self.close_connection = True
            return
        if how.dropped:
            how.dropped -= 1
            self.wfile.write(view[: len(view) // 2])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.wfile.write(view)
        how.after()

    def do_HEAD(self) -> None:
        self.do_GET()

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        pass


class S3:
    """moto's server, which speaks the language of S3, with one bucket."""

    bucket = "bucket"

    def __init__(self) -> None:
        import logging

        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        self.host, self.port = self.server.get_host_and_port()
        self.send("POST", "/moto-api/reset")  # of what other tests in this process wrote
        self.send("PUT", f"/{self.bucket}")

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def send(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Send a request with a signature that moto does not look at, and return the answer."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        connection.request(
            method, path, body, {"Authorization": "AWS4-HMAC-SHA256 Credential=A/20260901/us-east-1/s3/aws4_request"}
        )
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return data if answer.status < 300 else b""

    def put(self, key: str, data: bytes) -> None:
        self.send("PUT", f"/{self.bucket}/{key}", data)

    def get(self, key: str) -> bytes:
        return self.send("GET", f"/{self.bucket}/{key}")

    def list_keys(self) -> list[str]:
        """Return the keys of all objects."""
        return re.findall(r"<Key>(.*?)</Key>", self.send("GET", f"/{self.bucket}?list-type=2").decode())

    def unfinished(self) -> list[str]:
        """Return the keys of uploads that were begun, and neither finished nor given up."""
        return re.findall(r"<Key>(.*?)</Key>", self.send("GET", f"/{self.bucket}?uploads").decode())

    def stop(self) -> None:
        self.server.stop()
