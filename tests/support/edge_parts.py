"""Servers for tests of the edge: origins that record their requests, and nginx as the edge configures it."""

import gzip
import http.client
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from edge.nginx_conf import DEBIAN_MODULE_DIRECTORY, render_nginx_conf
from localstack.listeners import accepts_connections, free_port
from localstack.parts.nginx import nginx_program, start_nginx
from localstack.processes import Supervisor

NJS_MODULE = Path(DEBIAN_MODULE_DIRECTORY) / "ngx_http_js_module.so"


@dataclass(frozen=True)
class Request:
    """One request as an origin saw it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """An answer of an origin or of the edge. The edge's header names are in lower case, repeated headers are joined."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


_MISSING = Answer(404, b"<Error><Code>NoSuchKey</Code></Error>", {"Content-Type": "application/xml"})


class RecordingOrigin(ThreadingHTTPServer):
    """An HTTP server on a free port that gives set answers by path and keeps all requests.

    An answer with an ETag is conditional as S3's are. A path without a set answer gives 404, with S3's XML.
    `body_bytes` counts the bytes of the body that is being received; `body_grew` is notified of each piece.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _OriginHandler)
        self.requests: list[Request] = []
        self.answers: dict[str, Answer] = {}
        self.body_bytes = 0
        self.body_grew = threading.Condition()
        self.connections = 0
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> "RecordingOrigin":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    def targets(self) -> list[str]:
        return [request.target for request in self.requests]


class _OriginHandler(BaseHTTPRequestHandler):
    server: RecordingOrigin
    protocol_version = "HTTP/1.1"
    # Otherwise each answer waits for the delayed acknowledgement of its headers.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def log_message(self, *args: object) -> None:
        pass

    def _pieces(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        remaining = int(self.headers.get("Content-Length", 0))
        while remaining and (piece := self.rfile.read1(remaining)):
            remaining -= len(piece)
            yield piece

    def _answer(self) -> None:
        body = b""
        for piece in self._pieces():
            body += piece
            with self.server.body_grew:
                self.server.body_bytes = len(body)
                self.server.body_grew.notify_all()
        self.server.requests.append(Request(self.command, self.path, dict(self.headers.items()), body))

        answer = self.server.answers.get(urlsplit(self.path).path, _MISSING)
        etag = answer.headers.get("ETag")
        if etag is not None and self.headers.get("If-None-Match") == etag:
            answer = Answer(304, b"", answer.headers)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = _answer


@contextmanager
def running_nginx(configuration: str, run_directory: Path, port: int) -> Iterator[int]:
    """Run nginx until the block ends; yields its process id when `port` takes connections."""
    if nginx_program() is None or not NJS_MODULE.exists():
        pytest.skip("nginx with njs is not installed (Debian: nginx-light, libnginx-mod-http-js)")
    run_directory.mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor(run_directory / "processes.json", run_directory)
    try:
        start_nginx(supervisor, "nginx", configuration, run_directory, lambda: accepts_connections(port))
        (nginx,) = supervisor.alive()
        yield nginx.pid
    finally:
        supervisor.stop_all()


@dataclass
class Edge:
    """A running edge and the origins behind it."""

    port: int
    bucket: RecordingOrigin
    api: RecordingOrigin
    stow: RecordingOrigin
    run_directory: Path

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send a request unchanged: only the header Host is added, and nothing is decoded."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            received: dict[str, str] = {}
            for name, value in response.getheaders():
                before = received.get(name.lower())
                received[name.lower()] = value if before is None else f"{before}, {value}"
            return Answer(response.status, response.read(), received)
        finally:
            connection.close()

    def get(self, target: str, **headers: str) -> Answer:
        """GET as a browser would, with gzip taken; keyword `If_None_Match` is the header If-None-Match."""
        own = {"Accept-Encoding": "gzip"}
        own.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.request("GET", target, own)

    def store_object(self, key: str, body: bytes, cache_control: str, etag: str, *, is_gzip: bool = True) -> None:
        """Put an object into the bucket as the converter writes it."""
        headers = {
            "Content-Type": "application/dicom+json",
            "Cache-Control": cache_control,
            "ETag": etag,
            "x-amz-request-id": "0123456789",
        }
        if is_gzip:
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, mtime=0)
        self.bucket.answers[f"/static/{key}"] = Answer(200, body, headers)


@contextmanager
def running_edge(viewer: Path) -> Iterator[Edge]:
    """Run the edge over fresh origins: bucket `static`, API below ``/restapis/abc/api/_user_request_``."""
    with (
        RecordingOrigin() as bucket,
        RecordingOrigin() as api,
        RecordingOrigin() as stow,
        tempfile.TemporaryDirectory(prefix="edge-") as directory,
    ):
        port = free_port()
        configuration = render_nginx_conf(
            edge_port=port,
            origin_port=free_port(),
            s3_endpoint=bucket.url,
            static_bucket="static",
            api_base=f"{api.url}/restapis/abc/api/_user_request_",
            stow_upstream=stow.url,
            viewer_root=viewer,
            viewer_config=viewer / "our-config.js",
            run_directory=directory,
        )
        with running_nginx(configuration, Path(directory), port):
            yield Edge(port, bucket, api, stow, Path(directory))
