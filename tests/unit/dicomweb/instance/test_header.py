import hashlib
import zlib
from io import BytesIO

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite, write_file_meta_info
from pydicom.uid import UID

from chalicelib.dicomweb.instance.header import read_header
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import FailureReason, InstanceRejectedError
from tests.support.stow_server import CT, instance_bytes

UIDS = ResourceUids("1.2.3", "1.2.3.4", "1.2.3.4.5")


def _file(transfer_syntax_uid: str, **changes: str | None) -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT, "1.2.3.4.5"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    dataset.ImageComments = hashlib.shake_256(b"").hexdigest(1500)  # not much smaller when deflated
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    dataset.file_meta.MediaStorageSOPClassUID = UID(CT)
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4.5")
    file = BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


@pytest.mark.parametrize("suffix", ["", ".1", ".2", ".1.99"])
def test_header_is_read_from_the_beginning_alone(suffix: str) -> None:
    whole = _file("1.2.840.10008.1.2" + suffix)
    prefix = whole[: len(whole) - 1000]

    header = read_header(prefix)

    assert header.uids == UIDS
    assert header.sop_class_uid == CT
    assert header.transfer_syntax_uid == "1.2.840.10008.1.2" + suffix


@pytest.mark.parametrize("length", [0, 10, 132, 140, 200, 330])
def test_beginning_that_is_too_short_is_rejected(length: int) -> None:
    with pytest.raises(InstanceRejectedError):
        read_header(_file("1.2.840.10008.1.2.1")[:length])


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"])
def test_missing_uid_is_rejected(keyword: str) -> None:
    with pytest.raises(InstanceRejectedError, match=keyword) as raised:
        read_header(_file("1.2.840.10008.1.2.1", **{keyword: None}))
    assert raised.value.failure_reason == FailureReason.DATA_SET_DOES_NOT_MATCH_SOP_CLASS


def test_uid_that_is_a_path_is_rejected() -> None:
    hostile = instance_bytes().replace(b"1.2.3.4.5\0", b"../../etc\0")

    with pytest.raises(InstanceRejectedError, match="SOPInstanceUID"):
        read_header(hostile)


def test_several_uids_in_one_element_are_rejected() -> None:
    hostile = instance_bytes().replace(b"1.2.3.4\0", b"1.2\\3.4\0")

    with pytest.raises(InstanceRejectedError, match="several"):
        read_header(hostile)


def test_unknown_transfer_syntax_is_rejected() -> None:
    with pytest.raises(InstanceRejectedError, match="transfer syntax"):
        read_header(instance_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0"))


def test_deflate_bomb_is_not_inflated_whole() -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.1.99")
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(CT), UID("1.2")
    file = BytesIO()
    file.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(file, meta)
    deflater = zlib.compressobj(wbits=-15)
    bomb = b"".join(deflater.compress(b"\0" * 1_000_000) for _ in range(100)) + deflater.flush()

    with pytest.raises(InstanceRejectedError):
        read_header(file.getvalue() + bomb)


def test_a_deflated_data_set_that_cannot_be_inflated_is_rejected() -> None:
    data = _file("1.2.840.10008.1.2.1.99")
    begin = data.index(b"1.2.840.10008.1.2.1.99") + 22

    with pytest.raises(InstanceRejectedError, match="cannot be parsed"):
        read_header(data[:begin] + b"\xff" * 100)
