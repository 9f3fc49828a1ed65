import json
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from chalicelib.dicomweb.instance.json_model import BulkData, to_json
from chalicelib.dicomweb.instance.part10 import read_instance
from chalicelib.dicomweb.json_text import dump_json
from chalicelib.errors import InstanceRejectedError
from tests.support.builders import encode, make_instance
from tests.support.pydicom_files import COMPARABLE_FILES, PACKAGED_FILES, UNPUBLISHABLE, pydicoms_json, without_binary


def convert(data: bytes) -> tuple[dict[str, Any], list[BulkData]]:
    with read_instance(BytesIO(data), max_inflated_bytes=1 << 24) as instance:
        dicom_json, bulk_data = to_json(instance, lambda path: f"http://archive/bulkdata/{path}")
        loaded = [
            item if isinstance(item.value, bytes) else BulkData(item.path, instance.read_value(int(item.path, 16)))
            for item in bulk_data
        ]
    return json.loads(dump_json(dicom_json)), loaded


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    """Write what pydicom refuses to write."""
    assert data.count(old) == 1
    assert len(old) == len(new)
    return data.replace(old, new)


@pytest.mark.parametrize("transfer_syntax_uid", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_values_are_those_of_the_standard_whatever_the_encoding(transfer_syntax_uid: str) -> None:
    item = Dataset()
    item.CodeValue = "T-04000"
    dicom_json, _ = convert(
        make_instance(
            transfer_syntax_uid,
            PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう",
            PatientWeight="70.5",
            ImageType=["ORIGINAL", "PRIMARY"],
            ReferringPhysicianName="",
            AnatomicRegionSequence=Sequence([item]),
            FrameIncrementPointer=[0x00181063, 0x00181065],
        )
    )
    assert dicom_json["00100010"] == {
        "vr": "PN",
        "Value": [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}],
    }
    assert dicom_json["00101030"] == {"vr": "DS", "Value": [70.5]}
    assert dicom_json["00080008"] == {"vr": "CS", "Value": ["ORIGINAL", "PRIMARY"]}
    assert dicom_json["00080090"] == {"vr": "PN"}
    assert dicom_json["00082218"] == {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["T-04000"]}}]}
    assert dicom_json["00280009"] == {"vr": "AT", "Value": ["00181063", "00181065"]}
    assert dicom_json["00280010"] == {"vr": "US", "Value": [4]}
    assert list(dicom_json) == sorted(dicom_json)
    assert not any(tag.startswith("0002") for tag in dicom_json)


def test_pixel_data_is_named_and_never_inline() -> None:
    dicom_json, bulk_data = convert(make_instance())
    assert dicom_json["7FE00010"] == {"vr": "OW", "BulkDataURI": "http://archive/bulkdata/7FE00010"}
    assert bulk_data == []


def test_small_binary_values_are_inline_and_large_ones_bulk_data() -> None:
    dicom_json, bulk_data = convert(
        make_instance(EncapsulatedDocument=b"d" * 1026, RedPaletteColorLookupTableData=b"rrrr")
    )
    assert b64decode(dicom_json["00281201"]["InlineBinary"]) == b"rrrr"
    assert dicom_json["00420011"] == {"vr": "OB", "BulkDataURI": "http://archive/bulkdata/00420011"}
    assert bulk_data == [BulkData("00420011", b"d" * 1026)]


@pytest.mark.parametrize("size", [2000, 200_000])
def test_bulk_data_of_a_big_endian_source_is_little_endian(size: int) -> None:
    _, bulk_data = convert(make_instance(ExplicitVRBigEndian, RedPaletteColorLookupTableData=b"\x01\x02" * (size // 2)))
    assert bulk_data == [BulkData("00281201", b"\x02\x01" * (size // 2))]


def test_bulk_data_in_a_sequence_is_addressed_by_item_number() -> None:
    items = [Dataset(), Dataset()]
    for number, item in enumerate(items):
        item.add_new(0x54001010, "OW", bytes([number]) * 2000)
    dicom_json, bulk_data = convert(make_instance(WaveformSequence=Sequence(items)))
    assert [item.path for item in bulk_data] == ["54000100.1.54001010", "54000100.2.54001010"]
    assert [item["54001010"]["BulkDataURI"] for item in dicom_json["54000100"]["Value"]] == [
        "http://archive/bulkdata/54000100.1.54001010",
        "http://archive/bulkdata/54000100.2.54001010",
    ]


def test_not_a_number_and_infinity_become_text_since_json_has_neither() -> None:
    data = make_instance(RealWorldValueSlope=None)
    dataset = dcmread(BytesIO(data))
    dataset.add(DataElement(0x00189073, "FD", [float("nan"), float("-inf"), 1.5]))
    dicom_json, _ = convert(encode(dataset))
    assert dicom_json["00189073"] == {"vr": "FD", "Value": ["NaN", "-Infinity", 1.5]}


def test_one_invalid_value_is_kept_as_text_and_the_rest_is_served() -> None:
    data = make_instance(InstanceNumber=7, PatientWeight="70.5", StudyDate="20240301")
    data = replaced(data, b"IS\x02\x007 ", b"IS\x02\x00x ")
    data = replaced(data, b"70.5", b"heav")
    data = replaced(data, b"20240301", b"20249999")
    dicom_json, _ = convert(data)
    assert dicom_json["00200013"] == {"vr": "IS", "Value": ["x"]}
    assert dicom_json["00101030"] == {"vr": "DS", "Value": ["heav"]}
    assert dicom_json["00080020"] == {"vr": "DA", "Value": ["20249999"]}
    assert dicom_json["00100020"] == {"vr": "LO", "Value": ["P1"]}


def test_text_that_breaks_its_character_set_still_makes_valid_json() -> None:
    data = replaced(make_instance(PatientName="Doe^Jane"), b"Doe^Jane", b"Doe\xff\xfe^\r\n")
    dicom_json, _ = convert(data)
    assert dicom_json["00100010"]["Value"][0]["Alphabetic"].startswith("Doe")


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
)
def test_names_are_decoded_from_the_character_set_of_the_source(character_set: Any, name: str) -> None:
    dicom_json, _ = convert(make_instance(SpecificCharacterSet=character_set, PatientName=name))
    groups = dict(zip(["Alphabetic", "Ideographic", "Phonetic"], name.split("="), strict=False))
    assert dicom_json["00100010"] == {"vr": "PN", "Value": [groups]}


def test_group_lengths_are_left_out_at_every_level() -> None:
    item = Dataset()
    item.add_new(0x00080000, "UL", 16)
    item.CodeValue = "X"
    dicom_json, _ = convert(make_instance(AnatomicRegionSequence=Sequence([item])))
    assert dicom_json["00082218"]["Value"] == [{"00080100": {"vr": "SH", "Value": ["X"]}}]


@pytest.mark.parametrize("path", COMPARABLE_FILES, ids=lambda p: p.name)
def test_metadata_of_pydicoms_own_files_equals_what_pydicom_gives(path: Path) -> None:
    dicom_json, _ = convert(path.read_bytes())
    assert without_binary(dicom_json) == pydicoms_json(path.read_bytes())


@pytest.mark.parametrize("path", [path for path in PACKAGED_FILES if path.name in UNPUBLISHABLE], ids=lambda p: p.name)
def test_pydicoms_own_broken_files_are_rejected(path: Path) -> None:
    with pytest.raises(InstanceRejectedError):
        convert(path.read_bytes())


def test_a_large_binary_value_stays_in_the_file_and_a_large_text_does_not() -> None:
    item_text = "x" * 70_000
    dicom_json, bulk_data = convert(make_instance(EncapsulatedDocument=b"d" * 70_000, TextValue=item_text))
    assert bulk_data == [BulkData("00420011", b"d" * 70_000)]
    assert dicom_json["0040A160"] == {"vr": "UT", "Value": [item_text]}


def test_a_number_of_the_wrong_size_is_left_empty() -> None:
    data = make_instance(PixelPaddingValue=None)
    element = b"\x28\x00\x20\x01US\x03\x00abc"
    position = data.index(b"\xe0\x7f\x10\x00")
    dicom_json, _ = convert(data[:position] + element + data[position:])
    assert dicom_json["00280120"] == {"vr": "US"}
    assert dicom_json["00280010"] == {"vr": "US", "Value": [4]}


def test_the_encapsulated_pixels_of_an_icon_are_bulk_data_without_item_tags() -> None:
    icon = Dataset()
    icon.PixelData = encapsulate([b"i" * 2000])
    icon["PixelData"].VR = "OB"
    icon["PixelData"].is_undefined_length = True
    pixels = encapsulate([b"\xff\xd8image\xff\xd9\0"])
    _, bulk_data = convert(
        make_instance("1.2.840.10008.1.2.4.50", PixelData=pixels, IconImageSequence=Sequence([icon]))
    )
    assert bulk_data == [BulkData("00880200.1.7FE00010", b"i" * 2000)]
