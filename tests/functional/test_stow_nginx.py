"""nginx before the store service: it passes every request on unchanged and buffers nothing."""

import socket
import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from chalicelib.settings import MIB
from localstack.listeners import free_port
from tests.support.edge_parts import running_nginx
from tests.support.settings import store_limits
from tests.support.stow_server import MULTIPART, instance_bytes, multipart, running

TEMPLATE = Path(__file__).parents[2] / "stow_nlb" / "nginx.conf"


@contextmanager
def _nginx(run_dir: Path, upstream_port: int) -> Iterator[int]:
    port = free_port()
    values = {"LISTEN": f"127.0.0.1:{port}", "UPSTREAM": f"127.0.0.1:{upstream_port}", "RUN_DIR": str(run_dir)}
    with running_nginx(string.Template(TEMPLATE.read_text()).substitute(values), run_dir, port):
        yield port


def _post(port: int, body: bytes, path: str = "/studies") -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, body, {"Content-Type": MULTIPART})
    response = connection.getresponse()
    answer = (response.status, response.read())
    connection.close()
    return answer


def test_path_body_and_answer_pass_unchanged(tmp_path: Path) -> None:
    instance = instance_bytes(pixels=b"\1" * 3 * MIB)
    with running() as server, _nginx(tmp_path, server.port) as port:
        status, body = _post(port, multipart(instance), "/dicomweb/studies/1.2.3")

        assert status == 200
        assert b"1.2.3.4.5" in body
        assert list(server.landing.objects.values()) == [instance]
        assert _post(port, multipart(instance), "/studies/1.2.x")[0] == 400


def test_body_reaches_the_service_while_it_arrives_and_lies_on_no_disk(tmp_path: Path) -> None:
    body = multipart(instance_bytes(pixels=b"\1" * 4 * MIB))
    begun = threading.Event()
    limits = store_limits(in_memory_bytes=MIB)
    with running(limits=limits) as server, _nginx(tmp_path, server.port) as port:
        begin_upload = server.landing.begin_upload
        server.landing.begin_upload = lambda key: (begun.set(), begin_upload(key))[1]
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            head = (
                f"POST /studies HTTP/1.1\r\nHost: x\r\nContent-Type: {MULTIPART}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            connection.sendall(head.encode() + body[: 2 * MIB])
            assert begun.wait(10), "the upload begins before the request is complete"
            assert not any(path.is_file() for path in (tmp_path / "client_body").rglob("*"))
            connection.sendall(body[2 * MIB :])
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")


def test_service_that_is_gone_is_503_in_json(tmp_path: Path) -> None:
    with _nginx(tmp_path, free_port()) as port:
        status, body = _post(port, multipart(instance_bytes()))

    assert (status, body) == (503, b'{"error": "the store service does not answer"}')
