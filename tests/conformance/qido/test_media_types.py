"""The media types of search's answers: PS3.18 §8.7.3."""

import pytest

from tests.conformance.qido.answers import NATIVE_MODEL, ROOT, XML, xml_parts
from tests.conformance.qido.studies import SERIES_TAGS, STUDY_TAGS


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/dicom+json"),
        ("*/*", "application/dicom+json"),
        ("application/*", "application/dicom+json"),
        ("application/dicom+json", "application/dicom+json"),
        ("application/json", "application/json"),
        ("application/dicom+json, application/json;q=0.9", "application/dicom+json"),
        ("text/html, application/json", "application/json"),
        ('multipart/related; type="application/dicom+xml";q=0.1, application/dicom+json', "application/dicom+json"),
    ],
)
def test_answers_are_dicom_json(get, accept, content_type):
    response = get("/studies", accept)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == content_type


@pytest.mark.parametrize(
    "accept", ["text/html", "image/jpeg", "application/dicom+json;q=0", 'multipart/related; type="application/dicom"']
)
def test_another_media_type_is_not_acceptable(get, accept):
    assert get("/studies", accept).status_code == 406


def test_accept_may_be_a_query_parameter(get):
    assert get("/studies?accept=application/json", "text/html").headers["Content-Type"] == "application/json"
    assert get("/studies?accept=text/html").status_code == 406


@pytest.mark.parametrize(
    "accept",
    [XML, "multipart/related;type=application/dicom+xml", XML + ", application/dicom+json;q=0.1", "multipart/*"],
)
def test_answers_are_xml_where_that_is_asked_for(get, accept):
    response = get("/studies?limit=2", accept)
    assert response.status_code == 200
    first, second = xml_parts(response)
    assert [attribute.get("tag") for attribute in first] == STUDY_TAGS
    assert first.find("./DicomAttribute[@tag='00100010']", NATIVE_MODEL).get("keyword") == "PatientName"
    assert first.findtext("./DicomAttribute[@tag='00100010']//FamilyName", None, NATIVE_MODEL) == "Müller"
    modalities = first.findall("./DicomAttribute[@keyword='ModalitiesInStudy']/Value", NATIVE_MODEL)
    assert [(value.get("number"), value.text) for value in modalities] == [("1", "CT"), ("2", "SEG")]
    assert first.findtext("./DicomAttribute[@keyword='RetrieveURL']/Value", None, NATIVE_MODEL) == f"{ROOT}/studies/1.1"
    assert second.findtext("./DicomAttribute[@keyword='StudyInstanceUID']/Value", None, NATIVE_MODEL) == "1.2"
    assert "There are 6 additional results" in response.headers["Warning"]


def test_xml_shows_sequences_and_all_levels(get):
    first, _ = xml_parts(get("/series?PatientID=P1", XML))
    items = first.findall("./DicomAttribute[@keyword='RequestAttributesSequence']/Item", NATIVE_MODEL)
    assert [item.get("number") for item in items] == ["1", "2"]
    assert items[1].findtext("./DicomAttribute[@keyword='RequestedProcedureID']/Value", None, NATIVE_MODEL) == "RP2"
    assert {attribute.get("tag") for attribute in first} == {*STUDY_TAGS, *SERIES_TAGS}


@pytest.mark.parametrize("query", ["PatientID=nobody", "limit=0"])
def test_xml_of_nothing_is_204(get, query):
    response = get(f"/studies?{query}", XML)
    assert (response.status_code, response.body) == (204, b"")
    assert ("Warning" in response.headers) is (query == "limit=0")
