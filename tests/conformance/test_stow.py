"""PS3.18 §10.5, Store Transaction, clause by clause, on the running service."""

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from chalicelib.errors import ServiceFaultError
from tests.support.stow_server import (
    CT,
    JSON_TYPE,
    MULTIPART,
    ROOT,
    Answer,
    FailingLanding,
    StowServer,
    instance_bytes,
    multipart,
    running,
)

XML_TYPE = "application/dicom+xml"
GOOD = instance_bytes()
OTHER_STUDY = instance_bytes(study="9.9", sop="9.9.9")
README = b"this is no DICOM file"


@pytest.fixture
def server() -> Iterator[StowServer]:
    with running() as server:
        yield server


def _json(answer: Answer) -> dict[str, Any]:
    module: dict[str, Any] = json.loads(answer.body)
    return module


# §10.5.1: resources


@pytest.mark.parametrize("path", ["/studies", "/dicomweb/studies", "/studies/1.2.3", "/dicomweb/studies/1.2.3"])
def test_resources_that_take_a_store_request(server: StowServer, path: str) -> None:
    assert server.post(multipart(GOOD), path=path).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/studies/1.2.x", 400),
        ("POST", "/studies/1..2", 400),
        ("POST", "/studies/" + "1" * 65, 400),
        ("POST", "/studies/..%2F..%2Fetc", 400),
        ("POST", "/studies/1.2.3/series", 404),
        ("POST", "/", 404),
        ("GET", "/studies", 405),
        ("PUT", "/studies/1.2.3", 405),
    ],
)
def test_other_resources_are_refused_with_a_reason(server: StowServer, method: str, path: str, status: int) -> None:
    answer = server.post(multipart(GOOD), path=path, method=method)

    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("application/json")
    assert list(_json(answer)) == ["error"]


# §10.5.2: media types of the request


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ('multipart/related; type="application/dicom"; boundary=myboundary', 200),
        ("multipart/related; type=application/dicom; boundary=myboundary", 200),
        ('multipart/related;boundary="myboundary";type="application/dicom"', 200),
        ('Multipart/Related; TYPE="Application/DICOM"; Boundary=myboundary; start="<1>"', 200),
        ('multipart/related; type="application/dicom"', 400),
        ('multipart/related; type="application/dicom"; boundary=""', 400),
        ("multipart/related; boundary=myboundary", 400),
        ('multipart/related; type="application/dicom+json"; boundary=myboundary', 415),
        ('multipart/related; type="application/dicom+xml"; boundary=myboundary', 415),
        ('multipart/related; type="text/plain"; boundary=myboundary', 415),
        ("multipart/form-data; boundary=myboundary", 415),
        ("application/dicom+json", 415),
        ("application/octet-stream", 415),
        ("nonsense", 415),
        (None, 415),
    ],
)
def test_media_type_of_the_request(server: StowServer, content_type: str | None, status: int) -> None:
    assert server.post(multipart(GOOD), content_type=content_type).status == status
    assert bool(server.landing.objects) == (status == 200)


# §8.7.5, §8.7.8: media types of the answer


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, JSON_TYPE),
        ("", JSON_TYPE),
        ("*/*", JSON_TYPE),
        ("application/*", JSON_TYPE),
        (JSON_TYPE, JSON_TYPE),
        ("application/json", "application/json"),
        (XML_TYPE, XML_TYPE),
        ("Application/DICOM+XML", XML_TYPE),
        (f"{XML_TYPE}, {JSON_TYPE}", JSON_TYPE),
        (f"{XML_TYPE}, {JSON_TYPE};q=0.9", XML_TYPE),
        (f"{JSON_TYPE};q=0.1, {XML_TYPE};q=0.2", XML_TYPE),
        (f"text/html, {XML_TYPE};charset=utf-8, */*;q=0.1", XML_TYPE),
        (f'text/html;x="a, b", {XML_TYPE}', XML_TYPE),
    ],
)
def test_media_type_of_the_answer(server: StowServer, accept: str | None, media_type: str) -> None:
    answer = server.post(multipart(GOOD), accept=accept)

    assert answer.status == 200
    assert answer.headers["Content-Type"].split(";")[0] == media_type


@pytest.mark.parametrize("accept", ["text/html", "application/dicom", f"{JSON_TYPE};q=0", f"{JSON_TYPE};q=0.0, text/*"])
def test_no_acceptable_media_type_is_406_and_stores_nothing(server: StowServer, accept: str) -> None:
    assert server.post(multipart(GOOD), accept=accept).status == 406
    assert server.landing.objects == {}


# §10.5.3.1: status


@pytest.mark.parametrize(
    ("path", "parts", "status", "stored"),
    [
        ("/studies", [GOOD], 200, 1),
        ("/studies", [GOOD, OTHER_STUDY], 200, 2),
        ("/studies", [GOOD, README], 202, 1),
        ("/studies", [README], 409, 0),
        ("/studies", [b""], 409, 0),
        ("/studies", [GOOD[:-10]], 409, 0),
        ("/studies/1.2.3", [GOOD, OTHER_STUDY], 202, 1),
        ("/studies/1.2.3", [OTHER_STUDY], 409, 0),
        ("/studies", [], 400, 0),
    ],
)
def test_status_says_whether_all_some_or_none_are_stored(
    server: StowServer, path: str, parts: list[bytes], status: int, stored: int
) -> None:
    assert server.post(multipart(*parts), path=path).status == status
    assert len(server.landing.objects) == stored


def test_unavailable_store_is_503() -> None:
    with running(FailingLanding(ServiceFaultError("S3 failed"))) as server:
        assert server.post(multipart(GOOD)).status == 503


def test_failed_part_never_goes_on_with_the_data_of_the_part_before_it(server: StowServer) -> None:
    module = _json(server.post(multipart(GOOD, README, README, GOOD[:300])))

    assert len(module["00081199"]["Value"]) == 1
    assert len(module["0008119A"]["Value"]) == 3


def test_part_of_another_media_type_fails_alone(server: StowServer) -> None:
    body = multipart(GOOD).removesuffix(b"--") + b"\r\nContent-Type: text/plain\r\n\r\n" + GOOD
    answer = server.post(body + b"\r\n--myboundary--")

    assert answer.status == 202
    assert _json(answer)["0008119A"]["Value"] == [{"00081197": {"vr": "US", "Value": [49152]}}]
    assert len(server.landing.objects) == 1


def test_part_without_a_media_type_is_taken_for_an_instance(server: StowServer) -> None:
    body = multipart(GOOD).replace(b"Content-Type: application/dicom\r\n", b"")

    assert server.post(body).status == 200


# Annex I: the answer


def test_answer_names_what_is_stored_where_to_get_it(server: StowServer) -> None:
    answer = server.post(multipart(GOOD))

    assert _json(answer) == {
        "00081190": {"vr": "UR", "Value": [f"{ROOT}/studies/1.2.3"]},
        "00081199": {
            "vr": "SQ",
            "Value": [
                {
                    "00081150": {"vr": "UI", "Value": [CT]},
                    "00081155": {"vr": "UI", "Value": ["1.2.3.4.5"]},
                    "00081190": {
                        "vr": "UR",
                        "Value": [f"{ROOT}/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.5"],
                    },
                }
            ],
        },
    }


def test_answer_names_what_failed_and_why_in_decimal(server: StowServer) -> None:
    answer = server.post(multipart(OTHER_STUDY, README), path="/studies/1.2.3")

    assert _json(answer) == {
        "00081190": {"vr": "UR", "Value": [f"{ROOT}/studies/1.2.3"]},
        "00081198": {
            "vr": "SQ",
            "Value": [
                {
                    "00081150": {"vr": "UI", "Value": [CT]},
                    "00081155": {"vr": "UI", "Value": ["9.9.9"]},
                    "00081197": {"vr": "US", "Value": [43264]},
                }
            ],
        },
        # The instance is unknown, so it is not an item of Failed SOP Sequence: an item must name its instance.
        "0008119A": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [49152]}}]},
    }


def test_truncated_instance_is_named_in_the_answer(server: StowServer) -> None:
    failed = _json(server.post(multipart(GOOD[:-10])))["00081198"]["Value"]

    assert failed[0]["00081155"]["Value"] == ["1.2.3.4.5"]


def test_instances_of_several_studies_have_no_one_retrieve_url(server: StowServer) -> None:
    module = _json(server.post(multipart(GOOD, OTHER_STUDY)))

    assert module["00081190"] == {"vr": "UR"}
    assert len(module["00081199"]["Value"]) == 2


def test_xml_answer_is_the_native_dicom_model(server: StowServer) -> None:
    answer = server.post(multipart(GOOD, README), accept=XML_TYPE)

    root = ET.fromstring(answer.body)
    name = "{http://dicom.nema.org/PS3.19/models/NativeDICOM}"
    assert root.tag == f"{name}NativeDicomModel"
    assert [(child.tag, dict(child.attrib)) for child in root] == [
        (f"{name}DicomAttribute", {"tag": "00081190", "vr": "UR", "keyword": "RetrieveURL"}),
        (f"{name}DicomAttribute", {"tag": "00081199", "vr": "SQ", "keyword": "ReferencedSOPSequence"}),
        (f"{name}DicomAttribute", {"tag": "0008119A", "vr": "SQ", "keyword": "OtherFailuresSequence"}),
    ]
    stored, failed = root[1][0], root[2][0]
    assert stored.tag == failed.tag == f"{name}Item"
    assert [value.text for value in stored.iter(f"{name}Value")] == [
        CT,
        "1.2.3.4.5",
        f"{ROOT}/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.5",
    ]
    assert [value.text for value in failed.iter(f"{name}Value")] == ["49152"]


def test_error_bodies_never_repeat_the_request(server: StowServer) -> None:
    for content_type in ("<script>", MULTIPART.replace("application/dicom", "<script>")):
        assert b"script" not in server.post(b"", content_type=content_type).body
