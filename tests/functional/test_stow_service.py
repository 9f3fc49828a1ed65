"""The store service on a real socket: bodies of every shape, faults, limits, and what is left behind."""

import hashlib
import json
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.store_memory import peak_resident_bytes, service, store_large
from chalicelib.adapters.memory.landing import MemoryLanding
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import ServiceFaultError
from chalicelib.settings import MIB
from tests.support.settings import store_limits
from tests.support.stow_server import MULTIPART, StowServer, instance_bytes, multipart, running


@pytest.fixture
def server() -> Iterator[StowServer]:
    with running() as server:
        yield server


def _stored(server: StowServer) -> list[bytes]:
    return [server.landing.objects[key] for key in sorted(server.landing.objects)]


def _read_answer(connection: socket.socket) -> bytes:
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
        head, _, body = answer.partition(b"\r\n\r\n")
        length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        if length and len(body) >= int(length[0].split(b":")[1]):
            break
    return answer


def _head(content_length: int | None, content_type: str = MULTIPART) -> bytes:
    length = "Transfer-Encoding: chunked" if content_length is None else f"Content-Length: {content_length}"
    return f"POST /studies HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n{length}\r\n\r\n".encode()


def _chunked(body: bytes, size: int) -> bytes:
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


# --- the shapes of a body -----------------------------------------------------------------------


@pytest.mark.parametrize("boundary", ["myboundary", '"a b:c=d?"', "----=_Part_1", '"' + "x" * 70 + '"', "'()+_,-./"])
def test_any_boundary_quoted_or_not_is_understood(server: StowServer, boundary: str) -> None:
    instance = instance_bytes()
    body = multipart(instance, boundary=boundary.strip('"').encode())

    answer = server.post(body, content_type=f"multipart/related; type=application/dicom; boundary={boundary}")

    assert answer.status == 200
    assert _stored(server) == [instance]


@pytest.mark.parametrize(
    "preamble",
    [b"", b"\r\n", b"This is a preamble.\r\n", b"--not the boundary\r\n", b"a\r\n\r\n- -\r\n", b"x" * 60_000 + b"\r\n"],
)
@pytest.mark.parametrize("epilogue", [b"", b"\r\n", b"\r\nan epilogue\r\n--myboundary\r\n"])
def test_preamble_and_epilogue_are_ignored(server: StowServer, preamble: bytes, epilogue: bytes) -> None:
    instance = instance_bytes()

    answer = server.post(preamble + multipart(instance).removeprefix(b"\r\n") + epilogue)

    assert answer.status == 200
    assert _stored(server) == [instance]


def test_padding_behind_delimiters_is_ignored(server: StowServer) -> None:
    instance = instance_bytes()
    body = multipart(instance, instance_bytes(sop="1.9")).replace(b"--myboundary\r\n", b"--myboundary \t\r\n")

    assert server.post(body).status == 200
    assert len(server.landing.objects) == 2


@pytest.mark.parametrize(
    "header", [b"Content-Length: 7", b"content-length: %d", b"Content-Location: x", b"X-Other: " + b"y" * 4000]
)
def test_other_headers_of_a_part_change_nothing(server: StowServer, header: bytes) -> None:
    instance = instance_bytes()
    header = header.replace(b"%d", str(len(instance)).encode())
    body = multipart(instance).replace(b"\r\n\r\n", b"\r\n" + header + b"\r\n\r\n", 1)

    assert server.post(body).status == 200
    assert _stored(server) == [instance]


@pytest.mark.parametrize("size", [1, 7, 1000, 100_000])
def test_chunked_request_is_read_whatever_the_size_of_its_chunks(server: StowServer, size: int) -> None:
    instance = instance_bytes()
    with server.connect() as connection:
        connection.sendall(_head(None) + _chunked(multipart(instance), size))
        answer = _read_answer(connection)

    assert answer.startswith(b"HTTP/1.1 200")
    assert _stored(server) == [instance]


@settings(max_examples=40, deadline=None)
@given(
    boundary=st.text("abcXYZ019'()+_,-./:=?", min_size=1, max_size=70),
    ends=st.lists(
        st.sampled_from([b"\r", b"\n", b"\r\n", b"--", b"-", b"\0", b"\r\n--", b"\r\n--a", b"\r\n\r\n", b"B"]),
        max_size=6,
    ),
    size=st.integers(1, 3000),
)
def test_payload_comes_out_as_it_went_in(boundary: str, ends: list[bytes], size: int) -> None:
    # "B" stands for all but the last character of the delimiter, the nastiest thing a payload may hold.
    almost = (b"\r\n--" + boundary.encode())[:-1]
    tail = b"".join(almost if end == b"B" else end for end in ends)
    delimiter = b"\r\n--" + boundary.encode()
    pixels = (tail + b"\0" * 512)[: len(tail) + 512 - (len(tail) % 32)] + tail
    if delimiter in pixels + b"\r\n-":
        return  # RFC 2046: such a payload needs another boundary
    pixels = pixels if len(pixels) % 2 == 0 else b"\0" + pixels
    instance = instance_bytes(pixels=pixels)
    if delimiter in instance:
        return
    with running() as server, server.connect() as connection:
        body = multipart(instance, instance_bytes(sop="1.9"), boundary=boundary.encode())
        content_type = f'multipart/related; type="application/dicom"; boundary="{boundary}"'
        connection.sendall(_head(None, content_type) + _chunked(body, size))
        answer = _read_answer(connection)
        stored = _stored(server)

    assert answer.startswith(b"HTTP/1.1 200")
    assert stored[0] == instance


def test_single_part_request_is_one_instance(server: StowServer) -> None:
    instance = instance_bytes()

    answer = server.post(instance, content_type="application/dicom", path="/dicomweb/studies/1.2.3")

    assert answer.status == 200
    assert _stored(server) == [instance]


def test_many_requests_on_one_connection_are_answered_in_turn(server: StowServer) -> None:
    with server.connect() as connection:
        for number in range(5):
            body = multipart(instance_bytes(sop=f"1.2.3.4.{number}"))
            connection.sendall(_head(len(body)) + body)
            assert _read_answer(connection).startswith(b"HTTP/1.1 200")

    assert len(server.landing.objects) == 5


# --- truncated bodies ---------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 2, 12, 13, 14, 15, 16, 300, 600])
def test_body_without_its_last_delimiter_is_refused(server: StowServer, cut: int) -> None:
    body = multipart(instance_bytes())

    answer = server.post(body[:-cut])

    assert answer.status == 400
    assert "boundary" in json.loads(answer.body)["error"]
    assert server.landing.objects == {}


@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"--", b"no boundary at all", b"--myboundary", b"--myboundary\r\n", b"x" * 200_000]
)
def test_body_without_any_part_is_refused(server: StowServer, body: bytes) -> None:
    assert server.post(body).status == 400
    with server.connect() as connection:
        connection.sendall(_head(None) + _chunked(body, 100_000))
        assert _read_answer(connection).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("body", [b"--myboundary--", b"--myboundary--\r\n"])
def test_body_of_no_parts_is_refused(server: StowServer, body: bytes) -> None:
    assert server.post(body).status == 400


def test_client_that_goes_away_leaves_nothing_behind() -> None:
    aborted = threading.Event()

    class Landing(MemoryLanding):
        def begin_upload(self, key: str):  # type: ignore[no-untyped-def]
            upload = super().begin_upload(key)
            abort = upload.abort
            upload.abort = lambda: (abort(), aborted.set())  # type: ignore[assignment,method-assign]
            return upload

    landing = Landing()
    with running(landing, limits=store_limits(in_memory_bytes=MIB)) as server, server.connect() as connection:
        instance = instance_bytes(pixels=b"\0" * 4 * MIB)
        connection.sendall(_head(10 * MIB) + multipart(instance)[: 3 * MIB])
        connection.close()
        assert aborted.wait(10)

    assert landing.objects == {}
    assert landing.open_uploads == set()


def test_client_that_stops_sending_is_told_so() -> None:
    with running(idle_timeout_seconds=0.2) as server, server.connect() as connection:
        connection.sendall(_head(5000) + b"--myboundary\r\n")
        answer = _read_answer(connection)

    assert answer.startswith(b"HTTP/1.1 408")


def test_broken_chunked_coding_is_refused(server: StowServer) -> None:
    with server.connect() as connection:
        connection.sendall(_head(None) + b"5\r\n--myb\r\nnot a size\r\n")
        answer = _read_answer(connection)

    assert answer.split()[1] == b"400"


# --- large instances ----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [MIB - 4096, MIB - 512, MIB, MIB + 512, 3 * MIB, 5 * MIB + 32])
def test_instance_around_the_size_of_a_block_is_stored_unchanged(size: int) -> None:
    instance = instance_bytes(pixels=bytes(range(256)) * (size // 256) + b"\r\n" * 16)
    with running(limits=store_limits(in_memory_bytes=MIB, buffer_bytes=4 * MIB)) as server:
        answer = server.post(multipart(instance, instance_bytes(sop="1.9")))

        assert answer.status == 200
        assert sorted(map(len, _stored(server))) == sorted([len(instance), len(instance_bytes(sop="1.9"))])
        assert instance in _stored(server)
        assert server.landing.open_uploads == set()


def test_large_instances_of_many_clients_share_the_memory_without_a_deadlock() -> None:
    instances = [instance_bytes(sop=f"1.2.{n}", pixels=b"\1" * 3 * MIB) for n in range(8)]
    limits = store_limits(in_memory_bytes=MIB, buffer_bytes=2 * MIB)
    with running(limits=limits) as server:
        answers: list[int] = []
        clients = [
            threading.Thread(target=lambda i=i: answers.append(server.post(multipart(i, i[:-2] + b"ab")).status))
            for i in instances
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join(60)

        assert answers == [202] * 8
        assert sorted(_stored(server)) == sorted(instances)


def test_truncated_large_instance_leaves_no_object() -> None:
    instance = instance_bytes(pixels=b"\0" * 3 * MIB)
    with running(limits=store_limits(in_memory_bytes=MIB)) as server:
        assert server.post(multipart(instance)[:-100]).status == 400
        assert server.landing.objects == {}
        assert len(server.landing.aborted) == 1


def test_large_part_that_is_no_dicom_fails_and_the_others_are_stored() -> None:
    good = instance_bytes()
    with running(limits=store_limits(in_memory_bytes=MIB)) as server:
        answer = server.post(multipart(b"\x55" * 3 * MIB, good))

        assert answer.status == 202
        assert json.loads(answer.body)["0008119A"]["Value"] == [{"00081197": {"vr": "US", "Value": [49152]}}]
        assert _stored(server) == [good]


@pytest.mark.parametrize("size", [2 * MIB + 1024, 20 * MIB])
def test_instance_over_the_limit_is_refused(size: int) -> None:
    limits = store_limits(in_memory_bytes=MIB, max_instance_bytes=2 * MIB)
    with running(limits=limits) as server:
        answer = server.post(multipart(instance_bytes(pixels=b"\0" * size)))

        assert answer.status == 413
        assert server.landing.objects == {}
        assert server.landing.open_uploads == set()


def test_number_of_instances_is_limited() -> None:
    with running(limits=store_limits(max_instances=2)) as server:
        assert server.post(multipart(b"a", b"b", b"c")).status == 413


# --- faults -------------------------------------------------------------------------------------


class _FailingLanding(MemoryLanding):
    def __init__(self, fails_in: str) -> None:
        super().__init__()
        self._fails_in = fails_in

    def put(self, key: str, instance_bytes: bytes, sha256: str) -> None:
        self._fail("put")
        super().put(key, instance_bytes, sha256)

    def begin_upload(self, key: str):  # type: ignore[no-untyped-def]
        self._fail("begin")
        upload = super().begin_upload(key)
        if self._fails_in in ("append", "complete"):
            setattr(upload, self._fails_in, lambda *_: self._fail(self._fails_in))
        return upload

    def _fail(self, where: str) -> None:
        if where == self._fails_in:
            raise ServiceFaultError("S3 failed (SlowDown)")


@pytest.mark.parametrize("fails_in", ["put", "begin", "append", "complete"])
def test_fault_of_the_bucket_is_503_and_nothing_is_called_stored(fails_in: str) -> None:
    landing = _FailingLanding(fails_in)
    with running(landing, limits=store_limits(in_memory_bytes=MIB)) as server:
        pixels = b"\0" * (512 if fails_in == "put" else 4 * MIB)
        answer = server.post(multipart(*[instance_bytes(sop=f"1.{n}", pixels=pixels) for n in range(1, 10)]))

    assert answer.status == 503
    assert json.loads(answer.body) == {"error": "S3 failed (SlowDown)"}
    assert answer.headers["Retry-After"] == "5"
    assert landing.open_uploads == set()


def test_fault_of_the_records_is_503(server: StowServer) -> None:
    server.records.fails = True

    assert server.post(multipart(instance_bytes())).status == 503


def test_unexpected_error_is_500_without_its_text() -> None:
    class Landing(MemoryLanding):
        def put(self, key: str, instance_bytes: bytes, sha256: str) -> None:
            raise RuntimeError("secret")

    with running(Landing()) as server:
        answer = server.post(multipart(instance_bytes()))

    assert answer.status == 500
    assert b"secret" not in answer.body


# --- conflicts ----------------------------------------------------------------------------------


def test_same_content_again_succeeds(server: StowServer) -> None:
    instance = instance_bytes()
    uids = ResourceUids("1.2.3", "1.2.3.4", "1.2.3.4.5")
    server.records.digests[uids] = hashlib.sha256(instance).hexdigest()

    assert server.post(multipart(instance, instance)).status == 200


def test_other_content_than_the_registered_fails_and_its_bytes_are_kept(server: StowServer) -> None:
    instance = instance_bytes()
    server.records.digests[ResourceUids("1.2.3", "1.2.3.4", "1.2.3.4.5")] = "0" * 64

    answer = server.post(multipart(instance, instance_bytes(sop="1.9")))

    failed = json.loads(answer.body)["00081198"]["Value"]
    assert answer.status == 202
    assert [item["00081197"]["Value"] for item in failed] == [[273]]
    assert instance in _stored(server)
    assert server.records.batches == [2]  # one question for the whole request


@pytest.mark.parametrize("pixels", [512, 3 * MIB])
def test_second_content_in_one_request_fails_and_is_not_put(pixels: int) -> None:
    first = instance_bytes(pixels=b"\0" * pixels)
    second = instance_bytes(pixels=b"\1" * pixels)
    with running(limits=store_limits(in_memory_bytes=MIB, uploads_per_request=1)) as server:
        answer = server.post(multipart(first, second))

        assert answer.status == 202
        assert json.loads(answer.body)["00081198"]["Value"][0]["00081197"]["Value"] == [273]
        assert _stored(server) == [first]
        assert server.landing.open_uploads == set()


def test_objects_of_requests_never_have_the_same_key(server: StowServer) -> None:
    for _ in range(3):
        server.post(multipart(instance_bytes(), instance_bytes(sop="1.9")))

    assert len(server.landing.objects) == 6
    assert all(key.startswith("stow/") and key.endswith(("/1.dcm", "/2.dcm")) for key in server.landing.objects)


def test_requests_under_way_are_finished_when_the_service_ends() -> None:
    arrived, go_on = threading.Event(), threading.Event()

    class Landing(MemoryLanding):
        def put(self, key: str, instance_bytes: bytes, sha256: str) -> None:
            arrived.set()
            assert go_on.wait(10)
            super().put(key, instance_bytes, sha256)

    answers: list[int] = []
    with running(Landing()) as server:
        client = threading.Thread(target=lambda: answers.append(server.post(multipart(instance_bytes())).status))
        client.start()
        assert arrived.wait(10)
        threading.Timer(1.3, go_on.set).start()  # when the service is ending
    client.join(10)

    assert answers == [200]


def test_health_answers(server: StowServer) -> None:
    answer = server.post(b"", path="/health", method="GET")

    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok"})


def test_memory_does_not_grow_with_the_instance() -> None:
    with service() as (port, process):
        assert store_large(port, 256) == 200
        assert peak_resident_bytes(process) < 200 * MIB
