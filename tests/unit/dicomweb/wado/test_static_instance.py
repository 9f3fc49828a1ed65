"""The static objects of one instance: keys, types, and which of them are kept compressed."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import pytest
from pydicom.uid import JPEGBaseline8Bit

from chalicelib.dicomweb.compression import decompress
from chalicelib.dicomweb.instance.part10 import DEFER_BYTES, read_instance
from chalicelib.dicomweb.wado.static_instance import StaticInstance, prepare
from chalicelib.dicomweb.wado.static_object import StaticObject
from chalicelib.errors import InstanceRejectedError
from tests.support.builders import make_compressed, make_instance, make_non_image

UIDS = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.3", "SOPInstanceUID": "1.4"}
KEY = "dicomweb/studies/1.2/series/1.3/instances/1.4"
# Incompressible bytes.
NOISE = hashlib.shake_256(b"noise").digest(2 * DEFER_BYTES)


@contextmanager
def prepared(data: bytes) -> Iterator[StaticInstance]:
    with read_instance(BytesIO(data), max_inflated_bytes=1 << 20) as instance:
        yield prepare(instance, sha256="digest", dicomweb_root="https://archive.example/dicomweb")


def media_objects(data: bytes) -> dict[str, StaticObject]:
    with prepared(data) as static:
        return {made.key.removeprefix(KEY): made for made in static.media_objects(BytesIO(data), len(data))}


def payload(made: StaticObject) -> bytes:
    assert isinstance(made.body, bytes)
    body = decompress(made.body) if made.content_encoding == "gzip" else made.body
    return body.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]


def test_an_image_is_its_frames() -> None:
    made = media_objects(make_instance(**UIDS, NumberOfFrames=2, Rows=2, PixelData=bytes(range(32))))
    assert {key: payload(one) for key, one in made.items()} == {
        "/frames/1": bytes(range(16)),
        "/frames/2": bytes(range(16, 32)),
    }


def test_what_is_not_an_image_is_itself_and_its_bulk_data() -> None:
    data = make_non_image(**UIDS)
    made = media_objects(data)
    assert {key: payload(one) for key, one in made.items()} == {"": data, "/bulkdata/00420011": b"%PDF" + bytes(3996)}
    assert made[""].content_type.startswith('multipart/related; type="application/dicom"; boundary=')


def test_frames_and_bulk_data_are_kept_compressed_where_that_saves_a_tenth() -> None:
    zeros = media_objects(make_non_image(**UIDS, EncapsulatedDocument=bytes(2 * DEFER_BYTES)))["/bulkdata/00420011"]
    noise = media_objects(make_non_image(**UIDS, EncapsulatedDocument=NOISE))["/bulkdata/00420011"]
    assert (zeros.content_encoding, noise.content_encoding) == ("gzip", None)
    assert payload(zeros) == bytes(2 * DEFER_BYTES)
    assert payload(noise) == NOISE


def test_frames_of_a_compressed_transfer_syntax_are_not_compressed_again() -> None:
    [frame] = media_objects(make_compressed(JPEGBaseline8Bit, [bytes(4000)], **UIDS)).values()
    assert frame.content_encoding is None
    assert payload(frame) == bytes(4000)


def test_metadata_is_a_compressed_array_of_one_data_set_without_the_pixels() -> None:
    with prepared(make_instance(**UIDS)) as static:
        text = decompress(static.compressed_metadata())
    assert text.startswith(b'[{"00080005":')
    assert text.endswith(b"}]")
    uri = f"https://archive.example/{KEY}/bulkdata/7FE00010"
    assert f'"7FE00010":{{"vr":"OW","BulkDataURI":"{uri}"}}'.encode() in text


def test_an_image_that_lacks_frames_is_rejected() -> None:
    with pytest.raises(InstanceRejectedError), prepared(make_instance(**UIDS, NumberOfFrames=2)):
        pass
