"""Second read of a 300-slice study through the edge, against the same files from a plain nginx.

The plain nginx is the edge's origin too. Measured is what a viewer reads: the metadata of the study and
of the series once, each frame once; and, for the cost of a request by itself, the small metadata of each
instance. Strategy: the client is a bare socket, so that what is measured is the servers; both are read in
turns, so that a slow phase of the machine hits both; the median of the rounds counts.

Run: ``python -m benchmarks.edge_read [--rounds N]``. Exits with 1 where the study's ratio is over the limit.
"""

import argparse
import os
import random
import socket
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from cdk.edge.nginx_conf import render_nginx_conf
from tests.functional.edge_parts import free_port, running_nginx

SLICES = 300
FRAME_BYTES = 350_000  # a 512 by 512 CT frame of 16 bits, gzip-compressed
METADATA_BYTES = 1_200
LIMIT = 1.2
BROWSER_CONNECTIONS = 6
# What OHIF in Chromium sends.
ACCEPT = {
    "1": "multipart/related; type=application/octet-stream; transfer-syntax=*",
    "metadata": "application/dicom+json",
}
STUDY = "dicomweb/studies/1.2.3"
SERIES = f"{STUDY}/series/4.5"

_PLAIN = """
{user}
daemon off; pid {directory}/nginx.pid; error_log {directory}/error.log crit; worker_processes auto;
events {{ worker_connections 1024; }}
http {{
    access_log {directory}/access.log combined buffer=32k flush=1s;
    client_body_temp_path {directory}; proxy_temp_path {directory}; fastcgi_temp_path {directory};
    uwsgi_temp_path {directory}; scgi_temp_path {directory};
    sendfile on;
    map $uri $caching {{ ~/instances/ "public, max-age=31536000, immutable"; default no-cache; }}
    server {{
        listen 127.0.0.1:{port};
        root {root};
        add_header Cache-Control $caching;
        add_header Content-Encoding gzip;
    }}
}}
"""


def write_study(root: Path) -> tuple[list[str], list[str]]:
    """Write the objects below ``root/static``: what a viewer reads, and the instances' metadata."""
    random.seed(1)
    frame = random.randbytes(FRAME_BYTES)
    instances = [f"{SERIES}/instances/6.{number}" for number in range(1, SLICES + 1)]
    objects = {f"{STUDY}/metadata": frame[:20_000], f"{SERIES}/metadata": frame[:20_000]}
    for instance in instances:
        objects[f"{instance}/frames/1"] = frame
        objects[f"{instance}/metadata"] = frame[:METADATA_BYTES]
    for key, body in objects.items():
        file = root / "static" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    study = [f"{STUDY}/metadata", f"{SERIES}/metadata", *(f"{instance}/frames/1" for instance in instances)]
    return study, [f"{instance}/metadata" for instance in instances]


class Connection:
    """One kept connection, which is made anew when the server has had enough of it."""

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)
        self._socket = socket.create_connection(self._address)
        self._buffer = memoryview(bytearray(1 << 20))

    def ask(self, path: str) -> None:
        """Send a request; its answer is to be read before the next."""
        accept = ACCEPT[path.rsplit("/", 1)[1]]
        head = f"GET {path} HTTP/1.1\r\nHost: edge\r\nAccept: {accept}\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n"
        self._socket.sendall(head.encode())

    def read(self) -> None:
        """Read a whole answer, which must be a 200."""
        received = 0
        end = -1
        while end < 0:
            received += self._receive(len(self._buffer) - received, at=received)
            end = bytes(self._buffer[: min(received, 4096)]).find(b"\r\n\r\n")
        header = bytes(self._buffer[:end]).decode().lower()
        if not header.startswith("http/1.1 200"):
            raise RuntimeError(header)
        remaining = int(header.split("content-length: ")[1].split("\r\n")[0]) - (received - end - 4)
        while remaining:
            remaining -= self._receive(min(remaining, len(self._buffer)))
        if "connection: close" in header:
            self._socket.close()
            self._socket = socket.create_connection(self._address)

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def _receive(self, size: int, at: int = 0) -> int:
        count = self._socket.recv_into(self._buffer[at:], size)
        if not count:
            raise RuntimeError("the connection ended within an answer")
        return count


class Reader:
    """Reads paths as a browser does: over several connections, each with a request under way."""

    def __init__(self, port: int, prefix: str) -> None:
        self._port = port
        self._prefix = prefix

    def seconds(self, paths: Sequence[str]) -> float:
        """Wall time of reading all of them, over new connections: which worker has them is chance."""
        busy: deque[Connection] = deque()
        idle = deque(Connection(self._port) for _ in range(BROWSER_CONNECTIONS))
        start = time.perf_counter()
        for path in paths:
            if not idle:
                first = busy.popleft()
                first.read()
                idle.append(first)
            connection = idle.popleft()
            connection.ask(self._prefix + path)
            busy.append(connection)
        for connection in busy:
            connection.read()
        elapsed = time.perf_counter() - start
        for connection in [*busy, *idle]:
            connection.close()
        return elapsed


def cpu_seconds(process_id: int) -> float:
    """CPU time of nginx's workers."""
    workers = psutil.Process(process_id).children()
    return sum(sum(worker.cpu_times()[:2]) for worker in workers)


def compare(
    name: str,
    paths: Sequence[str],
    readers: dict[str, Reader],
    cpu: dict[str, Callable[[], float]],
    rounds: int,
) -> float:
    """Print both servers' times for the paths; the edge's median as a multiple of the plain one's."""
    times: dict[str, list[float]] = {server: [] for server in readers}
    used = dict.fromkeys(readers, 0.0)
    for server, reader in readers.items():
        reader.seconds(paths)  # the first read fills the cache
        used[server] = -cpu[server]()
    for _ in range(rounds):
        for server, reader in readers.items():
            times[server].append(reader.seconds(paths))
    # The plain server is the edge's origin, so its own CPU includes what the edge asked it meanwhile.
    for server in readers:
        used[server] += cpu[server]()
        median = statistics.median(times[server])
        per_request = median / len(paths) * 1e6
        cpu_each = used[server] / rounds * 1000
        print(f"{name:28} {server:6} {median * 1000:8.1f} ms {per_request:7.0f} us each {cpu_each:7.1f} ms CPU")
    ratio = statistics.median(times["edge"]) / statistics.median(times["plain"])
    print(f"{name:28} ratio  {ratio:8.2f}")
    return ratio


def main() -> int:
    """Run both servers and compare them."""
    parser = argparse.ArgumentParser(description="Second read through the edge against plain files.")
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="edge-read-") as name:
        directory = Path(name)
        study, instance_metadata = write_study(directory / "files")
        plain_port, edge_port = free_port(), free_port()
        plain = _PLAIN.format(
            user="user root;" if os.geteuid() == 0 else "",
            directory=directory / "plain",
            port=plain_port,
            root=directory / "files",
        )
        plain_url = f"http://127.0.0.1:{plain_port}"
        edge = render_nginx_conf(
            edge_port=edge_port,
            origin_port=free_port(),
            s3_endpoint=plain_url,
            static_bucket="static",
            api_base=plain_url,
            stow_upstream=plain_url,
            viewer_root=directory,
            viewer_config=directory / "app-config.js",
            run_directory=directory / "edge",
        )
        with (
            running_nginx(plain, directory / "plain", plain_port) as plain_process,
            running_nginx(edge, directory / "edge", edge_port) as edge_process,
        ):
            readers = {"plain": Reader(plain_port, "/static/"), "edge": Reader(edge_port, "/")}
            cpu = {
                "plain": lambda: cpu_seconds(plain_process.pid),
                "edge": lambda: cpu_seconds(edge_process.pid),
            }
            ratio = compare("study: metadata and frames", study, readers, cpu, rounds)
            compare("metadata of each instance", instance_metadata, readers, cpu, rounds)
    print(f"limit of the study's ratio: {LIMIT}")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
