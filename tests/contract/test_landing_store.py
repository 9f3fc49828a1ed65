"""Contract of LandingStore: tests of the adapter in memory and of the one on S3."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.adapters.aws.s3_landing import S3Landing
from chalicelib.adapters.memory.landing import MemoryLanding
from chalicelib.errors import ServiceFaultError
from chalicelib.ports import LandingStore
from chalicelib.settings import MIB
from localstack.parts.aws import EmulatedAws
from tests.support.emulator import archive_client


@dataclass
class Landing:
    """The port under test and its bucket: bytes of an object, and keys of uploads that have not ended."""

    store: LandingStore
    read: Callable[[str], bytes | None]
    open_uploads: Callable[[], set[str]]

    def put(self, key: str, instance_bytes: bytes) -> None:
        self.store.put(key, instance_bytes, hashlib.sha256(instance_bytes).hexdigest())


@pytest.fixture
def s3(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Any:
    return archive_client(emulated_aws, "s3", monkeypatch)


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.database)])
def landing(request: pytest.FixtureRequest) -> Landing:
    if request.param == "memory":
        memory = MemoryLanding()
        return Landing(memory, memory.objects.get, lambda: memory.open_uploads)
    client = request.getfixturevalue("s3")
    bucket = f"landing-{uuid4().hex}"
    client.create_bucket(Bucket=bucket)

    def read(key: str) -> bytes | None:
        try:
            return bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
        except client.exceptions.NoSuchKey:
            return None

    def open_uploads() -> set[str]:
        return {upload["Key"] for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])}

    return Landing(S3Landing(client, bucket), read, open_uploads)


@pytest.mark.parametrize("size", [0, 1, 12 * MIB])
def test_an_instance_is_put_whole_whatever_its_size(landing: Landing, size: int) -> None:
    instance_bytes = bytes(range(256)) * (size // 256) or b"x" * size
    landing.put("stow/a/1.dcm", instance_bytes)
    assert landing.read("stow/a/1.dcm") == instance_bytes


def test_bytes_that_differ_from_their_digest_are_refused() -> None:
    # The emulator does not compare them. How S3 answers is tested in test_s3_signed_put.
    landing = MemoryLanding()
    with pytest.raises(ServiceFaultError):
        landing.put("stow/a/1.dcm", b"instance", hashlib.sha256(b"another").hexdigest())
    assert landing.objects == {}


def test_concurrent_puts_do_not_mix(landing: Landing) -> None:
    keys = [f"stow/a/{number}.dcm" for number in range(24)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: landing.put(key, key.encode() * 1000), keys))
    assert {key: landing.read(key) for key in keys} == {key: key.encode() * 1000 for key in keys}


def test_blocks_become_one_object_only_on_completion(landing: Landing) -> None:
    blocks = [bytes([number]) * (5 * MIB) for number in range(3)] + [b"the rest"]
    upload = landing.store.begin_upload("stow/a/1.dcm")
    for block in blocks:
        upload.append(block)
        assert landing.read("stow/a/1.dcm") is None
    upload.complete()
    assert landing.read("stow/a/1.dcm") == b"".join(blocks)
    assert landing.open_uploads() == set()


def test_an_aborted_upload_leaves_nothing(landing: Landing) -> None:
    upload = landing.store.begin_upload("stow/a/1.dcm")
    upload.append(bytes(5 * MIB))
    assert landing.open_uploads() == {"stow/a/1.dcm"}
    upload.abort()
    assert landing.read("stow/a/1.dcm") is None
    assert landing.open_uploads() == set()


def test_an_aborted_upload_cannot_be_continued(landing: Landing) -> None:
    upload = landing.store.begin_upload("stow/a/1.dcm")
    upload.append(bytes(5 * MIB))
    upload.abort()
    with pytest.raises(ServiceFaultError):
        upload.append(b"more")
    with pytest.raises(ServiceFaultError):
        upload.complete()
    assert landing.read("stow/a/1.dcm") is None


def test_an_abort_never_raises_and_keeps_a_completed_object(landing: Landing) -> None:
    upload = landing.store.begin_upload("stow/a/1.dcm")
    upload.append(b"instance")
    upload.complete()
    upload.abort()
    assert landing.read("stow/a/1.dcm") == b"instance"
    aborted = landing.store.begin_upload("stow/a/2.dcm")
    aborted.abort()
    aborted.abort()
    assert landing.open_uploads() == set()


def test_concurrent_uploads_do_not_mix(landing: Landing) -> None:
    keys = ["stow/a/1.dcm", "stow/a/2.dcm", "stow/b/1.dcm"]
    uploads = {key: landing.store.begin_upload(key) for key in keys}
    for upload, byte in zip(uploads.values(), (b"1", b"2", b"3"), strict=True):
        upload.append(byte * 5 * MIB)
    for key in reversed(keys):
        uploads[key].append(f"end of {key}".encode())
    uploads["stow/a/2.dcm"].abort()
    uploads["stow/b/1.dcm"].complete()
    uploads["stow/a/1.dcm"].complete()
    assert landing.read("stow/a/1.dcm") == b"1" * 5 * MIB + b"end of stow/a/1.dcm"
    assert landing.read("stow/a/2.dcm") is None
    assert landing.read("stow/b/1.dcm") == b"3" * 5 * MIB + b"end of stow/b/1.dcm"


def test_a_bucket_that_does_not_exist_is_a_fault(s3: Any) -> None:
    store = S3Landing(s3, "no-such-bucket")
    with pytest.raises(ServiceFaultError):
        store.put("stow/a/1.dcm", b"", hashlib.sha256(b"").hexdigest())
    with pytest.raises(ServiceFaultError):
        store.begin_upload("stow/a/1.dcm")
