"""Wrong queries are refused with 400 (PS3.18 §8.3.4)."""

import json

import pytest

REFUSED = [
    # clause, resource, what the message must name
    ("unknown keyword", "/studies?PatientShoeSize=44", "PatientShoeSize"),
    ("unknown tag", "/studies?00091001=x", "00091001"),
    ("not searchable", "/studies?PatientAge=040Y", "PatientAge"),
    ("wrong path", "/series?PatientName.00400009=x", "PatientName.00400009"),
    ("key of a deeper level", "/studies?SeriesDescription=x", "SeriesDescription"),
    ("key twice", "/studies?PatientID=1&PatientID=2", "PatientID"),
    ("key twice in two spellings", "/studies?PatientID=1&00100020=2", "00100020"),
    ("negative limit", "/studies?limit=-1", "limit"),
    ("limit in words", "/studies?limit=ten", "limit"),
    ("empty limit", "/studies?limit=", "limit"),
    ("limit twice", "/studies?limit=1&limit=2", "limit"),
    ("bad offset", "/studies?offset=1.5", "offset"),
    ("endless offset", "/studies?offset=99999999999999999999", "offset"),
    ("bad boolean", "/studies?fuzzymatching=maybe", "fuzzymatching"),
    ("bad date", "/studies?StudyDate=20240230", "StudyDate"),
    ("bad range", "/studies?StudyDate=20240101-20240102-20240103", "StudyDate"),
    ("range of nothing", "/studies?StudyDate=-", "StudyDate"),
    ("reversed range", "/studies?StudyDate=20240102-20240101", "StudyDate"),
    ("bad time", "/studies?StudyTime=25", "StudyTime"),
    ("bad number", "/series?SeriesNumber=one", "SeriesNumber"),
    ("bad UID", "/studies?StudyInstanceUID=1.2'", "StudyInstanceUID"),
    ("UID with a wildcard", "/studies?StudyInstanceUID=1.2*", "StudyInstanceUID"),
    ("bad UID in the path", "/studies/abc/series", "StudyInstanceUID"),
    ("bad series UID in the path", "/studies/1.2/series/abc/instances", "SeriesInstanceUID"),
    ("bad includefield", "/studies?includefield=%27", "includefield"),
    ("a private creator that owns no field", "/studies?00090010=ACME", "00090010"),
    ("a sequence's value", "/series?RequestAttributesSequence=x", "RequestAttributesSequence"),
    ("too many words", f"/studies?fuzzymatching=true&PatientName={'%20'.join(map(str, range(40)))}", "PatientName"),
    ("all values with a wildcard", "/studies?multiplevaluematching=true&ModalitiesInStudy=CT,M*", "ModalitiesInStudy"),
    ("empty date without the option", "/studies?StudyDate=%22%22", "StudyDate"),
    ("list with a wildcard", "/studies?ModalitiesInStudy=CT%2CM*", "ModalitiesInStudy"),
]


@pytest.mark.parametrize(("resource", "named"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_wrong_query_is_refused_with_the_name_of_its_parameter(get, resource, named):
    response = get(resource)
    assert response.status_code == 400
    assert named in json.loads(response.body)["error"]


def test_a_refusal_never_repeats_what_could_be_markup_or_sql(get):
    response = get("/studies?%3Cscript%3E=%27%3B%20DROP%20TABLE%20studies")
    assert response.status_code == 400
    assert "script" not in response.body.decode()
    assert "DROP" not in response.body.decode()
