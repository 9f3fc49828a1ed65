"""Compares the second read of a 300-slice study through the edge with the same files from a plain nginx.

    python -m benchmarks.edge_read [--rounds N]         (exits with 1 if the ratio exceeds the limit)

The plain nginx is also the edge's origin. Each round reads what a viewer reads: the metadata of the study and of the
series once, and each frame once, over six connections, as a browser does. There are two clients: an ordinary one
(aiohttp), to which the limit applies, and a bare socket, which shows the cost of the servers alone.

Strategy: the two servers are read in turns, so that a slow phase of the machine affects both. Each round opens new
connections, because chance decides which of nginx's workers gets them. The best round counts, as noise only adds time.
"""

import argparse
import asyncio
import os
import random
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from edge.nginx_conf import render_nginx_conf
from localstack.listeners import free_port
from tests.support.edge_parts import running_nginx

SLICES = 300
FRAME_BYTES = 350_000  # a 512 by 512 CT frame of 16 bits, gzip-compressed
METADATA_BYTES = 20_000
LIMIT = 1.2
BROWSER_CONNECTIONS = 6
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


def write_study(root: Path) -> list[str]:
    """Write the objects below ``root/static``; returns the paths that a viewer reads."""
    random.seed(1)
    frame = random.randbytes(FRAME_BYTES)
    objects = {f"{STUDY}/metadata": frame[:METADATA_BYTES], f"{SERIES}/metadata": frame[:METADATA_BYTES]}
    for number in range(1, SLICES + 1):
        objects[f"{SERIES}/instances/6.{number}/frames/1"] = frame
    for key, body in objects.items():
        file = root / "static" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    return list(objects)


def accept_of(path: str) -> str:
    """Return the Accept header that OHIF sends."""
    if path.endswith("metadata"):
        return "application/dicom+json"
    return "multipart/related; type=application/octet-stream; transfer-syntax=*"


class Connection:
    """A persistent connection, which is opened again when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)
        self._socket = socket.create_connection(self._address)
        self._buffer = memoryview(bytearray(1 << 20))

    def ask(self, path: str) -> None:
        """Send a request; its answer must be read before the next request."""
        head = (
            f"GET {path} HTTP/1.1\r\nHost: edge\r\nAccept: {accept_of(path)}\r\n"
            "Accept-Encoding: gzip, deflate, br\r\n\r\n"
        )
        self._socket.sendall(head.encode())

    def read(self) -> None:
        """Read a complete answer, whose status must be 200."""
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
        """Close the connection."""
        self._socket.close()

    def _receive(self, size: int, at: int = 0) -> int:
        count = self._socket.recv_into(self._buffer[at:], size)
        if not count:
            raise RuntimeError("the connection ended within an answer")
        return count


class Reader:
    """Reads paths as a browser does: over several connections, with one pending request on each."""

    def __init__(self, port: int, prefix: str) -> None:
        self._port = port
        self._prefix = prefix

    def seconds(self, paths: Sequence[str]) -> float:
        """Return the wall time of reading all paths over new connections."""
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
    """Return the CPU time of nginx's workers so far."""
    workers = psutil.Process(process_id).children()
    return sum(sum(worker.cpu_times()[:2]) for worker in workers)


async def _seconds_of_a_client(base: str, paths: Sequence[str]) -> float:
    limit = aiohttp.TCPConnector(limit=BROWSER_CONNECTIONS)
    async with aiohttp.ClientSession(connector=limit, auto_decompress=False) as session:

        async def read(path: str) -> None:
            async with session.get(base + path, headers={"Accept": accept_of(path)}) as response:
                response.raise_for_status()
                await response.read()

        start = time.perf_counter()
        await asyncio.gather(*(read(path) for path in paths))
        return time.perf_counter() - start


def ordinary_client(port: int, prefix: str, paths: Sequence[str]) -> float:
    """Return the wall time of reading all paths with aiohttp."""
    return asyncio.run(_seconds_of_a_client(f"http://127.0.0.1:{port}{prefix}", paths))


def bare_client(port: int, prefix: str, paths: Sequence[str]) -> float:
    """Return the wall time of reading all paths with bare sockets."""
    return Reader(port, prefix).seconds(paths)


@dataclass(frozen=True)
class Server:
    """A running nginx, and the prefix of the study's paths on it."""

    name: str
    port: int
    prefix: str
    process_id: int


def compare(
    title: str,
    client: Callable[[int, str, Sequence[str]], float],
    paths: Sequence[str],
    servers: tuple[Server, Server],
    rounds: int,
) -> float:
    """Print both servers' times for the paths; returns the best time of the second divided by that of the first."""
    times: dict[str, list[float]] = {server.name: [] for server in servers}
    used = dict.fromkeys(times, 0.0)
    for number in range(rounds + 1):
        for server in servers:
            before = cpu_seconds(server.process_id)
            elapsed = client(server.port, server.prefix, paths)
            if number:  # the first read fills the cache
                times[server.name].append(elapsed)
                used[server.name] += cpu_seconds(server.process_id) - before
    best = {name: min(values) for name, values in times.items()}
    for name, elapsed in best.items():
        each = elapsed / len(paths) * 1e6
        cpu = used[name] / rounds / len(paths) * 1e6
        print(f"{title:32} {name:6} {elapsed * 1000:7.1f} ms, {each:4.0f} us a request, {cpu:4.0f} us CPU of it")
    plain, edge = best.values()
    print(f"{title:32} ratio  {edge / plain:7.2f}")
    return edge / plain


def main() -> int:
    """Run both servers and compare them."""
    parser = argparse.ArgumentParser(description="Second read through the edge against plain files.")
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="edge-read-") as name:
        directory = Path(name)
        study = write_study(directory / "files")
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
            running_nginx(plain, directory / "plain", plain_port) as plain_process_id,
            running_nginx(edge, directory / "edge", edge_port) as edge_process_id,
        ):
            servers = (
                Server("plain", plain_port, "/static/", plain_process_id),
                Server("edge", edge_port, "/", edge_process_id),
            )
            compare("study, bare sockets", bare_client, study, servers, rounds)
            ratio = compare("study, ordinary client", ordinary_client, study, servers, rounds)
    print(f"limit for the ordinary client: {LIMIT}")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
