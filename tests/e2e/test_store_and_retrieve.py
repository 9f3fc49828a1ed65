"""Instances of each encoding, stored by STOW-RS and by an upload, are retrieved unchanged."""

from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydicom.dataset import Dataset

from tests.e2e.support.clients import DICOM, DICOM_JSON, Answer, get, search, store
from tests.e2e.support.sources import FRAME_MEDIA_TYPES, MADE, Source, make_source, packaged_source
from tests.support.pydicom_files import COMPARABLE_FILES, pydicoms_json, without_binary

pytestmark = pytest.mark.every_deployment

# Names that people give to files: S3 allows them all, PS3.10 allows none of them.
KEYS = [
    "any/key/{}.dcm",
    "with spaces/and + plus signs/{}",
    "Müller & Söhne/山田 太郎/{}.dcm",
    "100%/a%2Fb/%20/{}",
    "quotes'\"/tilde~/equals=/semi;colon/{}.DCM",
    "no-extension-{}",
]
STOW = [f"{name} by STOW" for name in MADE]
UPLOAD = [f"{name} by S3" for name in MADE]
PACKAGED = [path.name for path in COMPARABLE_FILES]
SOURCES = [*STOW, *UPLOAD, *PACKAGED]


@pytest.fixture(scope="module")
def sources(archive, backend) -> dict[str, Source]:
    """All sources, stored and published."""
    by_stow = {name: make_source(name.removesuffix(" by STOW")) for name in STOW}
    by_upload = {name: make_source(name.removesuffix(" by S3")) for name in UPLOAD}
    by_upload |= {path.name: packaged_source(path) for path in COMPARABLE_FILES}
    answer = store(archive.stow, *(source.data for source in by_stow.values()))
    assert answer.status == 200, answer.body
    keys = [KEYS[number % len(KEYS)].format(name) for number, name in enumerate(by_upload)]
    with ThreadPoolExecutor(8) as clients:
        list(clients.map(backend.upload, keys, [source.data for source in by_upload.values()]))
    every = by_stow | by_upload
    for source in every.values():
        backend.wait_until_searchable(source.study_instance_uid, 1, seconds=120)
    return every


@pytest.fixture
def source(sources, request) -> Source:
    return sources[request.param]


def of_each(names: list[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("source", names, indirect=True)


# A function makes the copy without gzip, which takes long; the way in which the instance was stored does not matter.
IN_BOTH_CODINGS = pytest.mark.parametrize(
    ("source", "gzip"),
    [*((name, True) for name in SOURCES), *((name, False) for name in STOW)],
    indirect=["source"],
    ids=[*(f"gzip-{name}" for name in SOURCES), *(f"identity-{name}" for name in STOW)],
)


@IN_BOTH_CODINGS
def test_frames_are_those_of_the_source(archive, source, gzip) -> None:
    for number, frame in enumerate(source.frames or [], start=1):
        answer = get(f"{archive.dicomweb}/{source.path}/frames/{number}", gzip=gzip)
        assert answer.status == 200
        assert gzip or "Content-Encoding" not in answer.headers
        assert answer.part().content_type == source.part_type
        assert answer.part().body == frame
    past_the_end = len(source.frames or []) + 1
    assert get(f"{archive.dicomweb}/{source.path}/frames/{past_the_end}", gzip=gzip).status == 404


@IN_BOTH_CODINGS
def test_metadata_of_all_three_levels_is_what_pydicom_says(archive, source, gzip) -> None:
    expected = [pydicoms_json(source.data)]
    for path in (source.path, source.series_path, f"studies/{source.study_instance_uid}"):
        answer = get(f"{archive.dicomweb}/{path}/metadata", accept=DICOM_JSON, gzip=gzip)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == DICOM_JSON
        assert answer.headers.get("Content-Encoding") == ("gzip" if gzip else None)
        assert [without_binary(dataset) for dataset in answer.json()] == expected


@IN_BOTH_CODINGS
def test_binary_values_are_those_of_the_source(archive, source, gzip) -> None:
    (metadata,) = get(f"{archive.dicomweb}/{source.path}/metadata").json()
    assert ("7FE00010" in metadata) == (source.frames is not None)
    if source.frames is not None:
        check_bulk_data(metadata.pop("7FE00010"), source.frames, gzip)
    check_binary_values(metadata, source.dataset, gzip)


def check_binary_values(metadata: dict, dataset: Dataset, gzip: bool) -> None:
    for tag, element in metadata.items():
        if element["vr"] == "SQ":
            for item, nested in zip(element.get("Value", []), dataset[tag].value, strict=True):
                check_binary_values(item, nested, gzip)
        elif "InlineBinary" in element:
            assert b64decode(element["InlineBinary"]) == little_endian(dataset, tag)
        elif "BulkDataURI" in element:
            check_bulk_data(element, [little_endian(dataset, tag)], gzip)


def check_bulk_data(element: dict, expected: list[bytes], gzip: bool) -> None:
    answer = get(element["BulkDataURI"], gzip=gzip)
    assert answer.status == 200
    assert [part.body for part in answer.parts()] == expected


def little_endian(dataset: Dataset, tag: str) -> bytes:
    value = dataset[tag].value
    if dataset.original_encoding[1] or dataset[tag].VR in ("OB", "UN"):
        return value
    assert dataset[tag].VR == "OW"
    return b"".join(value[position : position + 2][::-1] for position in range(0, len(value), 2))


@IN_BOTH_CODINGS
def test_the_instance_is_the_file_that_was_stored(archive, source, gzip) -> None:
    url = f"{archive.dicomweb}/{source.path}"
    part = get(url, gzip=gzip).part()
    assert part.content_type == f"{DICOM}; transfer-syntax={source.dataset.file_meta.TransferSyntaxUID}"
    assert part.body == source.data
    assert get(url, accept=DICOM).body == source.data


@of_each(["native by STOW", "encapsulated document by STOW"])
def test_a_single_part_is_labelled_as_dicom(archive, source) -> None:
    # Not tested with an upload: the emulator ignores `response-content-type` in requests for a version.
    assert get(f"{archive.dicomweb}/{source.path}", accept=DICOM).headers["Content-Type"] == DICOM


@of_each(["JPEG multi-frame by STOW", "native multi-frame by S3", "one bit by STOW"])
def test_a_list_of_frames_comes_in_the_order_asked_for(archive, source) -> None:
    answer = get(f"{archive.dicomweb}/{source.path}/frames/2,1")
    assert [part.body for part in answer.parts()] == [source.frames[1], source.frames[0]]


@of_each(["compressible by STOW", "JPEG by S3"])
def test_the_viewers_accept_header_gets_frames_in_the_stored_transfer_syntax(archive, source) -> None:
    accept = "multipart/related; type=application/octet-stream; transfer-syntax=*"
    part = get(f"{archive.dicomweb}/{source.path}/frames/1", accept=accept).part()
    assert (part.content_type, part.body) == (source.part_type, source.frames[0])


@of_each(["compressible by S3"])
def test_a_client_that_takes_gzip_gets_fewer_bytes(archive, source) -> None:
    url = f"{archive.dicomweb}/{source.path}/frames/1"
    packed, plain = get(url), get(url, gzip=False)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.body) < len(plain.body) / 10


@of_each(["native by STOW", "native by S3"])
def test_the_roots_of_the_replaced_system_answer_alike(archive, source) -> None:
    edge = archive.viewer.rstrip("/")
    study = f"StudyInstanceUID={source.study_instance_uid}"

    def bodies(path: str) -> list[bytes]:
        answers: list[Answer] = [get(f"{edge}{root}{path}") for root in ("/dicomweb", "/qido")]
        assert [answer.status for answer in answers] == [200, 200]
        return [answer.content for answer in answers]

    for path in (f"/studies?{study}", f"/{source.path}/metadata", f"/{source.path}/frames/1"):
        first, second = bodies(path)
        assert first == second


def test_each_kind_of_frame_is_labelled_with_a_media_type_of_the_standard(sources) -> None:
    seen = {source.part_type.partition(";")[0] for source in sources.values()}
    assert seen >= {"application/octet-stream", *FRAME_MEDIA_TYPES.values()}


@of_each(["native by STOW"])
def test_a_search_names_where_the_instance_is(archive, source) -> None:
    (hit,) = search(f"{archive.dicomweb}/instances", SOPInstanceUID=source.dataset.SOPInstanceUID)
    assert hit["00081190"]["Value"] == [f"{archive.dicomweb}/{source.path}"]
    assert get(hit["00081190"]["Value"][0]).part().body == source.data
