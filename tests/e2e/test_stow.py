"""STOW-RS answers: to dcm4che's stowrs on each store URL, and to requests that are wrong."""

import pytest

from tests.e2e.support.clients import (
    DICOM,
    DICOM_JSON,
    DICOM_XML,
    FAILED_SOP_SEQUENCE,
    REFERENCED_SOP_SEQUENCE,
    RETRIEVE_URL,
    SOP_INSTANCE_UID,
    failure_reasons,
    get,
    post,
    store,
    stowrs_body,
    values,
    xml_values,
)
from tests.e2e.support.sources import Source, fresh_uid, fresh_uids, make_source
from tests.support.builders import make_instance

pytestmark = pytest.mark.every_deployment

DUPLICATE = 273
DATA_SET_DOES_NOT_MATCH = 43264
CANNOT_UNDERSTAND = 49152


@pytest.mark.parametrize("root", ["/studies", "/dicomweb/studies", "/qido/studies"])
@pytest.mark.parametrize("with_study", [False, True], ids=["any study", "one study"])
def test_every_store_url_takes_instances(archive, backend, root, with_study) -> None:
    source = make_source("native")
    study = f"/{source.study_instance_uid}" if with_study else ""
    answer = store(archive.viewer.rstrip("/") + root + study, source.data)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == DICOM_JSON
    backend.wait_until_searchable(source.study_instance_uid, 1)


def test_json_answer_names_what_was_stored_and_where_it_is(archive, backend) -> None:
    source = make_source("native")
    module = store(archive.stow, source.data).json()
    assert FAILED_SOP_SEQUENCE not in module
    assert module[RETRIEVE_URL]["Value"] == [f"{archive.dicomweb}/studies/{source.study_instance_uid}"]
    (item,) = module[REFERENCED_SOP_SEQUENCE]["Value"]
    assert values([item], SOP_INSTANCE_UID) == [source.dataset.SOPInstanceUID]
    backend.wait_until_searchable(source.study_instance_uid, 1)
    assert get(item[RETRIEVE_URL]["Value"][0]).part().body == source.data


def test_xml_answer_says_the_same(archive) -> None:
    source = make_source("native")
    answer = store(archive.stow, source.data, b"no DICOM", accept=DICOM_XML)
    assert answer.status == 202
    assert answer.headers["Content-Type"] == DICOM_XML
    assert xml_values(answer.body, "ReferencedSOPInstanceUID") == [str(source.dataset.SOPInstanceUID)]
    assert xml_values(answer.body, "FailureReason") == [str(CANNOT_UNDERSTAND)]
    assert f"{archive.dicomweb}/{source.path}" in xml_values(answer.body, "RetrieveURL")


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, DICOM_JSON),
        ("*/*", DICOM_JSON),
        ("application/json", "application/json"),
        ("application/dicom+xml, application/dicom+json;q=0.5", DICOM_XML),
    ],
)
def test_answer_comes_in_the_type_asked_for(archive, accept, answered) -> None:
    answer = store(archive.stow, make_source("native").data, accept=accept)
    assert answer.status == 200
    assert answer.headers["Content-Type"].partition(";")[0] == answered


def test_a_single_instance_needs_no_multipart(archive, backend) -> None:
    source = make_source("RLE")
    assert post(archive.stow, source.data, content_type=DICOM).status == 200
    backend.wait_until_searchable(source.study_instance_uid, 1)


def test_some_failed_is_202_and_all_failed_is_409(archive) -> None:
    answer = store(archive.stow, make_source("native").data, b"a README.txt that stowrs sends along")
    assert (answer.status, failure_reasons(answer)) == (202, [CANNOT_UNDERSTAND])
    answer = store(archive.stow, b"no DICOM", b"")
    assert (answer.status, failure_reasons(answer)) == (409, [CANNOT_UNDERSTAND] * 2)


def test_an_instance_of_another_study_than_the_urls_is_refused(archive, backend) -> None:
    before = backend.landed("stow/")
    answer = store(f"{archive.stow}/{fresh_uid()}", make_source("native").data)
    assert (answer.status, failure_reasons(answer)) == (409, [DATA_SET_DOES_NOT_MATCH])
    assert backend.landed("stow/") == before


def test_a_malformed_request_is_400_and_an_unsupported_type_415(archive) -> None:
    body = stowrs_body(make_source("native").data)
    multipart = 'multipart/related; type="application/dicom"'
    assert post(archive.stow, body[:-40], content_type=f"{multipart}; boundary=myboundary").status == 400
    assert post(archive.stow, body, content_type=multipart).status == 400
    assert post(archive.stow, body, content_type=f"{multipart}; boundary=other").status == 400
    assert post(f"{archive.stow}/not-a-uid", body).status == 400
    for content_type in ("text/plain", "multipart/form-data; boundary=myboundary", "application/json"):
        assert post(archive.stow, body, content_type=content_type).status == 415
    assert store(archive.stow, make_source("native").data, accept="image/png").status == 406


def test_a_second_content_under_one_uid_fails_and_the_first_stays(archive, backend) -> None:
    uids = fresh_uids()
    first = Source(make_instance(PatientName="First", **uids), None)
    second = make_instance(PatientName="Second", **uids)
    assert store(archive.stow, first.data).status == 200
    backend.wait_until_searchable(uids["StudyInstanceUID"], 1)

    before = backend.landed("stow/")
    answer = store(archive.stow, second)
    assert (answer.status, failure_reasons(answer)) == (409, [DUPLICATE])
    assert values(answer.json()[FAILED_SOP_SEQUENCE]["Value"], SOP_INSTANCE_UID) == [uids["SOPInstanceUID"]]
    (stored,) = backend.landed("stow/") - before

    uploaded = backend.upload("second content.dcm", second)
    for landed in (stored, uploaded):
        backend.wait_until_rejected(landed)
        assert backend.rejections()[landed][0] == DUPLICATE
        # Nothing is lost: the refused content stays in the landing bucket, and the first one is served.
        assert backend.read(landed) == second
    assert get(f"{archive.dicomweb}/{first.path}").part().body == first.data
    (metadata,) = get(f"{archive.dicomweb}/{first.series_path}/metadata").json()
    assert metadata["00100010"]["Value"] == [{"Alphabetic": "First"}]
    assert backend.instance_count(uids["StudyInstanceUID"]) == 1


def test_of_two_contents_in_one_request_the_first_is_stored(archive, backend) -> None:
    uids = fresh_uids()
    first, second = (make_instance(PatientName=name, **uids) for name in ("First", "Second"))
    answer = store(archive.stow, first, second)
    assert (answer.status, failure_reasons(answer)) == (202, [DUPLICATE])
    backend.wait_until_searchable(uids["StudyInstanceUID"], 1)
    assert get(answer.json()[REFERENCED_SOP_SEQUENCE]["Value"][0][RETRIEVE_URL]["Value"][0]).part().body == first


def test_storing_the_same_again_succeeds_and_changes_nothing(archive, backend) -> None:
    source = make_source("native")
    metadata = f"{archive.dicomweb}/{source.series_path}/metadata"
    before = backend.landed("stow/")
    assert store(archive.stow, source.data).status == 200
    backend.wait_until_searchable(source.study_instance_uid, 1)
    published = get(metadata)
    assert store(archive.stow, source.data, source.data).status == 200
    uploaded = backend.upload("the same again", source.data)
    backend.send(*(backend.event(landed) for landed in (backend.landed("stow/") - before) | {uploaded}))
    backend.wait_until_idle()
    after = get(metadata)
    assert (after.body, after.headers["ETag"]) == (published.body, published.headers["ETag"])
    assert backend.instance_count(source.study_instance_uid) == 1
