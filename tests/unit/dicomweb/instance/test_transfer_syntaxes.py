"""Rows of the table of transfer syntaxes; the conformance statement is held against all of it."""

import pytest

from chalicelib.dicomweb.instance.transfer_syntaxes import TRANSFER_SYNTAXES, TransferSyntax


@pytest.mark.parametrize(
    ("uid", "expected"),
    [
        ("1.2.840.10008.1.2", {"implicit_vr": True, "encapsulated": False}),
        ("1.2.840.10008.1.2.1", {"encapsulated": False}),
        ("1.2.840.10008.1.2.2", {"little_endian": False, "encapsulated": False}),
        ("1.2.840.10008.1.2.1.99", {"deflated": True, "encapsulated": False}),
        ("1.2.840.10008.1.2.4.70", {"frame_media_type": "image/jpeg"}),
        ("1.2.840.10008.1.2.4.90", {"frame_media_type": "image/jp2"}),
        ("1.2.840.10008.1.2.4.201", {"frame_media_type": "image/jphc"}),
        ("1.2.840.10008.1.2.5", {"frame_media_type": "image/dicom-rle"}),
        ("1.2.840.10008.1.2.4.103", {"frame_media_type": "video/mp4", "video": True}),
    ],
)
def test_a_transfer_syntax_says_how_its_data_set_and_frames_are_encoded(uid: str, expected: dict) -> None:
    assert TRANSFER_SYNTAXES[uid] == TransferSyntax(uid, **expected)
