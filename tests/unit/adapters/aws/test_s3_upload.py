import logging
from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from chalicelib.adapters.aws.s3 import S3ObjectStore
from chalicelib.adapters.aws.s3_upload import S3Upload, join_parts
from chalicelib.dicomweb.wado.static_object import StaticObject
from chalicelib.errors import ServiceFaultError
from tests.support.aws_stubs import stubbed

TARGET = {"Bucket": "b", "Key": "k", "UploadId": "u"}
DICOM = {"ContentType": "application/dicom"}


@pytest.fixture
def s3() -> Iterator[Stubber]:
    with stubbed("s3") as stub:
        yield stub


def test_parts_are_sent_with_a_checksum_that_completion_repeats(s3: Stubber) -> None:
    crc = {"ChecksumAlgorithm": "CRC32"}
    parts = [{"PartNumber": number, "ETag": f"e{number}", "ChecksumCRC32": f"c{number}"} for number in (1, 2)]
    s3.add_response("create_multipart_upload", {"UploadId": "u"}, {"Bucket": "b", "Key": "k", **DICOM, **crc})
    for body, part in zip((b"one", b"two"), parts, strict=True):
        answer = {"ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}
        s3.add_response("upload_part", answer, {**TARGET, "PartNumber": part["PartNumber"], "Body": body, **crc})
    s3.add_response("complete_multipart_upload", {}, {**TARGET, "MultipartUpload": {"Parts": parts}})

    upload = S3Upload(s3.client, "b", "k", properties=DICOM, checksum_algorithm="CRC32")
    upload.append(b"one")
    upload.append(b"two")
    upload.complete()


def test_more_parts_than_s3_accepts_are_refused(s3: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.adapters.aws.s3_upload._MAX_PARTS", 1)
    s3.add_response("create_multipart_upload", {"UploadId": "u"})
    s3.add_response("upload_part", {"ETag": "e"})

    upload = S3Upload(s3.client, "b", "k", properties=DICOM)
    upload.append(b"one")
    with pytest.raises(ServiceFaultError, match="at most 1 parts"):
        upload.append(b"two")


def test_a_failed_part_aborts_the_upload_and_a_failed_abort_hides_nothing(
    s3: Stubber, caplog: pytest.LogCaptureFixture
) -> None:
    s3.add_response("create_multipart_upload", {"UploadId": "u"})
    s3.add_client_error("upload_part", "InternalError", http_status_code=500)
    s3.add_client_error("abort_multipart_upload", "SlowDown", http_status_code=503)

    with caplog.at_level(logging.WARNING), pytest.raises(ServiceFaultError, match="InternalError"):
        S3ObjectStore(s3.client, in_memory_bytes=0).put("b", StaticObject("k", iter([b"one"]), "text/plain"))
    assert "an upload could not be aborted" in caplog.text


def test_pieces_are_joined_to_parts_of_at_least_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.adapters.aws.s3_upload.PART_BYTES", 4)

    assert list(join_parts([b"abc", b"d", b"efghij", b"k"])) == [b"abcd", b"efghij", b"k"]
    assert list(join_parts([b"abcd"])) == [b"abcd"]
