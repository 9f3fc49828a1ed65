"""Measures the STOW service: peak memory of receiving one large instance, CPU time of receiving ordinary ones.

    python -m benchmarks.store_memory [--mib 1024] [--instances 500]

The service runs in a process of its own with the real S3 adapter. It stores into an S3 that discards everything, so
that only the service is measured. The large instance is sent from a generator and never exists as a whole.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
from aiohttp import web

from chalicelib.settings import MIB

_BOUNDARY = "benchmark"
_CONTENT_TYPE = f'multipart/related; type="application/dicom"; boundary={_BOUNDARY}'


class _Sink(BaseHTTPRequestHandler):
    """The part of S3 that the STOW service uses; it discards all objects."""

    protocol_version = "HTTP/1.1"
    received = 0

    def do_PUT(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        name = "Initiate" if self.path.endswith("uploads") else "Complete"
        result = f"{name}MultipartUploadResult"
        self._answer(f"<{result}><UploadId>1</UploadId></{result}>".encode())

    def _answer(self, body: bytes) -> None:
        left = int(self.headers.get("Content-Length", 0))
        while left:
            left -= len(self.rfile.read(min(left, 256 * 1024)))
        self.send_response(200)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class _NoRecords:
    def get_digests(self, _instances: object) -> dict[Any, str]:
        return {}


def _serve() -> None:
    """Run the service as `python -m stow_nlb` does, but without records; prints its port."""
    from chalicelib.adapters.aws.clients import make_client
    from chalicelib.adapters.aws.s3_landing import S3Landing
    from chalicelib.bootstrap import store_limits
    from chalicelib.services.store_instances import StoreInstances
    from chalicelib.settings import Settings, StowSettings
    from stow_nlb.service import ServiceOptions, create_app

    settings, stow = Settings.from_environment(), StowSettings.from_environment()
    landing = S3Landing(make_client("s3"), settings.landing_bucket)
    store = StoreInstances(landing, _NoRecords(), store_limits(settings, stow))  # type: ignore[arg-type]
    options = ServiceOptions(dicomweb_root=settings.dicomweb_root, idle_timeout_seconds=stow.idle_timeout_seconds)
    app = create_app(store, options)
    web.run_app(app, host=stow.host, port=stow.port, access_log=None, print=lambda *_: print("ready", flush=True))


@contextmanager
def service() -> Iterator[tuple[int, psutil.Process]]:
    """Run the service in a process of its own; yields its port and the process."""
    sink = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    Thread(target=sink.serve_forever, daemon=True).start()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Sink) as probe:
        port = probe.server_address[1]
    environment = os.environ | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{sink.server_address[1]}",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "us-east-1",
        "STOW_PORT": str(port),
        "LANDING_BUCKET": "landing",
        **dict.fromkeys(("STATIC_BUCKET", "RECORDS_TABLE", "REJECTIONS_TABLE", "DATABASE_SECRET_ID"), "not used"),
    }
    command = [sys.executable, "-m", "benchmarks.store_memory", "--serve"]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(30)
            sink.shutdown()
            sink.server_close()


def _header() -> bytes:
    from tests.support.stow_server import instance_bytes

    # Up to the length of the pixel data, which is the last element.
    return instance_bytes()[: -512 - 4]


def large_body(pixel_bytes: int) -> Iterator[bytes]:
    """Yield a request with one instance in pieces of 1 MiB."""
    yield f"--{_BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    yield _header() + pixel_bytes.to_bytes(4, "little")
    piece = bytes(range(256)) * 4096
    for _ in range(pixel_bytes // MIB):
        yield piece
    yield f"\r\n--{_BOUNDARY}--\r\n".encode()


def peak_resident_bytes(process: psutil.Process) -> int:
    """Return the peak of the process's resident memory."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def store_large(port: int, mib: int) -> int:
    """Store one instance with `mib` MiB of pixel data; returns the status."""
    connection = HTTPConnection("127.0.0.1", port, timeout=600)
    headers = {"Content-Type": _CONTENT_TYPE}
    connection.request("POST", "/studies", large_body(mib * MIB), headers, encode_chunked=True)
    status = connection.getresponse().status
    connection.close()
    return status


def store_many(port: int, instances: int) -> int:
    """Store ordinary CT images of 0.5 MiB, 50 per request; returns the number of stored images."""
    from tests.support.stow_server import instance_bytes, multipart

    connection = HTTPConnection("127.0.0.1", port, timeout=600)
    stored = 0
    pixels = os.urandom(512 * 1024)
    for start in range(0, instances, 50):
        parts = [
            instance_bytes(sop=f"1.2.{number}", pixels=pixels) for number in range(start, min(start + 50, instances))
        ]
        body = multipart(*parts, boundary=_BOUNDARY.encode())
        connection.request("POST", "/studies", body, {"Content-Type": _CONTENT_TYPE})
        response = connection.getresponse()
        response.read()
        stored += len(parts) if response.status == 200 else 0
    connection.close()
    return stored


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--instances", type=int, default=500)
    arguments = parser.parse_args()
    if arguments.serve:
        _serve()
        return
    with service() as (port, process):
        started = time.monotonic()
        status = store_large(port, arguments.mib)
        seconds = time.monotonic() - started
        peak = peak_resident_bytes(process) / MIB
        print(f"one instance of {arguments.mib} MiB: {status}, {seconds:.1f} s, peak {peak:.0f} MiB resident")
        store_many(port, 50)
        before = sum(process.cpu_times()[:2])
        stored = store_many(port, arguments.instances)
        milliseconds = (sum(process.cpu_times()[:2]) - before) * 1000 / stored
        peak = peak_resident_bytes(process) / MIB
        print(f"{stored} instances of 0.5 MiB: {milliseconds:.2f} ms CPU each, peak {peak:.0f} MiB resident")


if __name__ == "__main__":
    main()
