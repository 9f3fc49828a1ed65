"""Contract of ObjectStore: tests of the adapter in memory and of the one on S3."""

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest

from chalicelib.adapters.aws.s3 import S3ObjectStore
from chalicelib.adapters.memory.stores import MemoryObjectStore
from chalicelib.dicomweb.wado.static_object import IMMUTABLE, REVALIDATED, StaticObject
from chalicelib.errors import NotFoundError, PreconditionFailedError, ServiceFaultError
from chalicelib.ports import ObjectStore, ObjectVersion
from localstack.parts.aws import EmulatedAws
from tests.support.emulator import archive_client

Land = Callable[[str, bytes], ObjectVersion]


@pytest.fixture
def s3(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Any:
    client = archive_client(emulated_aws, "s3", monkeypatch)
    for bucket in ("landing", "static"):
        client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket="landing", VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.database)])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    if request.param == "memory":
        return MemoryObjectStore()
    return S3ObjectStore(request.getfixturevalue("s3"), in_memory_bytes=1000)


@pytest.fixture
def land(store: ObjectStore, request: pytest.FixtureRequest) -> Land:
    if isinstance(store, MemoryObjectStore):
        return store.land
    client = request.getfixturevalue("s3")

    def put(key: str, data: bytes) -> ObjectVersion:
        answer = client.put_object(Bucket="landing", Key=key, Body=data)
        return ObjectVersion("landing", key, answer["VersionId"])

    return put


def aggregate(key: str, body: bytes) -> StaticObject:
    return StaticObject(key, body, "application/dicom+json", REVALIDATED, "gzip")


@pytest.mark.parametrize("size", [0, 10, 5000])
def test_a_version_is_read_whole_whatever_its_size(store: ObjectStore, land: Land, size: int) -> None:
    data = bytes(range(256)) * 20
    version = land(f"any/key {size} ü+.dcm", data[:size])
    with store.open(version) as content:
        assert content.file.read() == data[:size]
        assert content.size == size
        assert content.sha256 == hashlib.sha256(data[:size]).hexdigest()
        assert content.last_modified.tzinfo is not None
        content.file.seek(0)
        assert content.file.read(3) == data[:size][:3]


def test_the_version_that_is_named_is_read_though_a_later_one_exists(store: ObjectStore, land: Land) -> None:
    first = land("twice", b"first")
    land("twice", b"second")
    with store.open(first) as content:
        assert content.file.read() == b"first"


def test_a_version_that_does_not_exist_is_not_found(store: ObjectStore) -> None:
    with pytest.raises(NotFoundError), store.open(ObjectVersion("landing", "nowhere")):
        pass
    with pytest.raises(NotFoundError):
        store.get_bytes("static", "nowhere")
    assert store.head("static", "nowhere") is None


def test_an_object_keeps_its_headers(store: ObjectStore) -> None:
    content_type = 'multipart/related; type="image/jpeg"; boundary="b"'
    store.put("static", StaticObject("headers/1", b"body", content_type))
    store.put("static", StaticObject("headers/2", b"zipped", "application/dicom+json", REVALIDATED, "gzip"))
    first, second = store.head("static", "headers/1"), store.head("static", "headers/2")
    assert first is not None
    assert second is not None
    assert (first.size, first.content_type, first.cache_control, first.content_encoding) == (
        4,
        content_type,
        IMMUTABLE,
        None,
    )
    assert (second.cache_control, second.content_encoding) == (REVALIDATED, "gzip")
    assert store.get_bytes("static", "headers/2") == b"zipped"


def test_a_body_in_pieces_becomes_one_object(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.adapters.aws.s3_upload.PART_BYTES", 5 * 1024 * 1024)
    pieces = [bytes([number]) * (1024 * 1024) for number in range(12)]
    store.put("static", StaticObject("large", iter(pieces), "application/octet-stream"))
    assert store.get_bytes("static", "large") == b"".join(pieces)


def test_pieces_that_fail_leave_no_object(store: ObjectStore) -> None:
    def pieces() -> Any:
        yield b"x"
        raise OSError("the source broke")

    with pytest.raises(OSError, match="broke"):
        store.put("static", StaticObject("half", pieces(), "application/octet-stream"))
    assert store.head("static", "half") is None


def test_an_aggregate_replaces_just_the_version_that_was_read(store: ObjectStore) -> None:
    first = store.put_aggregate("static", aggregate("study-a", b"1"), None)
    second = store.put_aggregate("static", aggregate("study-a", b"2"), first)
    with pytest.raises(PreconditionFailedError):
        store.put_aggregate("static", aggregate("study-a", b"3"), first)
    with pytest.raises(PreconditionFailedError):
        store.put_aggregate("static", aggregate("study-a", b"3"), None)
    head = store.head("static", "study-a")
    assert head is not None
    assert head.etag == second
    assert store.get_bytes("static", "study-a") == b"2"


def test_an_aggregate_whose_version_is_gone_is_created_anew(store: ObjectStore) -> None:
    etag = store.put_aggregate("static", aggregate("study-gone", b"1"), '"0123456789abcdef0123456789abcdef"')
    head = store.head("static", "study-gone")
    assert head is not None
    assert head.etag == etag


def test_a_presigned_url_reads_the_version_it_names(s3: Any) -> None:
    store = S3ObjectStore(s3, in_memory_bytes=1000)
    first = s3.put_object(Bucket="landing", Key="presigned", Body=b"first")["VersionId"]
    s3.put_object(Bucket="landing", Key="presigned", Body=b"second")
    url = store.presign(ObjectVersion("landing", "presigned", first), content_type="application/dicom")
    with urlopen(url) as response:
        assert response.read() == b"first"
    # The emulator keeps the response headers only for the latest version.
    latest = store.presign(ObjectVersion("landing", "presigned"), content_type="application/dicom")
    with urlopen(latest) as response:
        assert response.headers["Content-Type"] == "application/dicom"


def test_a_fault_of_s3_is_a_service_fault(s3: Any) -> None:
    store = S3ObjectStore(s3, in_memory_bytes=1000)
    with pytest.raises(ServiceFaultError):
        store.put("no-such-bucket", StaticObject("k", b"", "text/plain"))
