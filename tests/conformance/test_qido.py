"""Search as PS3.18 §10.6 and PS3.4 §C.2.2.2 want it: one row a rule, over the index in memory and a real one."""

import base64
import email
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import policy
from xml.etree import ElementTree as ET

import pytest
from chalice.test import Client

from app import app
from chalicelib.adapters.memory.index import MemoryIndex
from chalicelib.adapters.mysql.connections import connection_factory
from chalicelib.adapters.mysql.index import MysqlIndex
from chalicelib.bootstrap import Services
from chalicelib.dicomweb.compression import compress
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.entrypoints import http
from chalicelib.errors import SearchTooBroadError
from chalicelib.ports import StudyIndex
from tests.support.qido_builders import AnsweringRecords, make_publication, make_series, publish
from tests.support.settings import SETTINGS

ROOT = "https://archive.example/dicomweb"


def _request(step: str, procedure: str) -> dict:
    return {"00400009": {"vr": "SH", "Value": [step]}, "00401001": {"vr": "SH", "Value": [procedure]}}


# Studies 1.1 to 1.8. Newest first they are 1.1, 1.2, 1.3, 1.4, 1.6, 1.5, then without a date 1.8, 1.7.
PUBLICATIONS = [
    make_publication(
        "1.1",
        [
            make_series(
                "1.1.1",
                {"1.1.1.1": {"InstanceNumber": 1}, "1.1.1.2": {"InstanceNumber": 2, "Rows": 512}},
                Modality="CT",
                SeriesNumber=1,
                SeriesDescription="Thorax 5mm",
                PerformedProcedureStepStartDate="20240430",
                PerformedProcedureStepStartTime="101500",
                RequestAttributesSequence=[_request("SPS1", "RP1"), _request("SPS2", "RP2")],
            ),
            make_series("1.1.10", ["1.1.10.1"], Modality="SEG", SeriesNumber=10),
        ],
        PatientName="Müller^Jürgen",
        PatientID="P1",
        AccessionNumber="A1",
        StudyDate="20240430",
        StudyTime="101530.25",
        StudyDescription="100% Thorax",
        ReferringPhysicianName="O'Brien^Ann",
        PatientBirthDate="19700101",
        PatientSex="M",
        StudyID="S1",
    ),
    make_publication(
        "1.2",
        [
            make_series(
                "1.2.1",
                ["1.2.1.1"],
                Modality="MR",
                SeriesNumber=1,
                RequestAttributesSequence=[{"00400009": {"vr": "SH", "Value": ["SPS3"]}, "00401001": {"vr": "SH"}}],
            )
        ],
        PatientName="MULLER^HANS",
        PatientID="P2",
        AccessionNumber="A2",
        StudyDate="20240429",
        StudyTime="2300",
        StudyDescription="Knie_links",
        PatientSex="F",
    ),
    make_publication(
        "1.3",
        [make_series("1.3.1", ["1.3.1.1"], Modality="PT"), make_series("1.3.2", ["1.3.2.1"], Modality="CT")],
        PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう",
        PatientID="p1",
        StudyDate="20240402",
        StudyTime="08",
        StudyDescription="Knie links",
    ),
    make_publication(
        "1.4",
        [
            make_series(
                "1.4.1",
                {
                    "1.4.1.1": {
                        "AvailableTransferSyntaxUID": "1.2.840.10008.1.2.4.70",
                        "NumberOfFrames": 3,
                        "Rows": 512,
                        "Columns": 256,
                        "BitsAllocated": 16,
                        "TimezoneOffsetFromUTC": "+0100",
                    }
                },
                Modality="CR",
            )
        ],
        PatientName="Hong^Gildong=洪^吉洞=홍^길동",
        PatientID="P%",
        StudyDate="20240401",
        StudyDescription="100 Thorax",
    ),
    make_publication(
        "1.5",
        [make_series("1.5.1", ["1.5.1.1"], Modality="US")],
        PatientName="Nguyễn^Thị|Hà",
        PatientID="P_",
        StudyDate="19991231",
        StudyTime="000000",
    ),
    make_publication(
        "1.6",
        [make_series("1.6.1", ["1.6.1.1"], Modality="US")],
        PatientName="Bork^Øyvind",
        PatientID="back\\slash",
        StudyDate="19991231",
        StudyTime="235959.999999",
    ),
    make_publication("1.7", [make_series("1.7.1", ["1.7.1.1"])]),
    make_publication("1.8", [make_series("1.8.1", ["1.8.1.1"])], PatientName="", StudyDate=None),
]
NEWEST_FIRST = ["1.1", "1.2", "1.3", "1.4", "1.6", "1.5", "1.8", "1.7"]


@pytest.fixture(scope="module")
def records() -> AnsweringRecords:
    records = AnsweringRecords(*PUBLICATIONS)
    data_set = {
        "00090011": {"vr": "LO", "Value": ["ACME"]},
        "00091101": {"vr": "LO", "Value": ["x"]},
        "00180050": {"vr": "DS", "Value": [2.5]},
    }
    records.metadata[ResourceUids("1.2", "1.2.1", "1.2.1.1")] = compress(json.dumps([data_set]).encode())
    return records


@pytest.fixture(scope="module", params=["memory", pytest.param("mysql", marks=pytest.mark.database)])
def index(request: pytest.FixtureRequest) -> Iterator[StudyIndex]:
    if request.param == "memory":
        made = MemoryIndex()
    else:
        made = MysqlIndex(connection_factory(request.getfixturevalue("database_secret")))
    for publication in PUBLICATIONS:
        publish(made, publication)
    yield made
    if isinstance(made, MysqlIndex):
        made.close()


@pytest.fixture
def get(
    index: StudyIndex, records: AnsweringRecords, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., object]]:
    with answering(index, records, monkeypatch) as send:
        yield send


@contextmanager
def answering(
    index: StudyIndex, records: AnsweringRecords, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., object]]:
    services = Services(replace(SETTINGS, dicomweb_root=ROOT), index=index, records=records)
    monkeypatch.setattr(http, "services", lambda: services)
    with Client(app) as client:

        def send(resource: str, accept: str | None = None):
            headers = {} if accept is None else {"Accept": accept}
            return client.http.get(f"/dicomweb{resource}", headers=headers)

        yield send


def values(answer: dict, tag: str) -> list | None:
    return answer[tag].get("Value")


def uids(response, tag: str = "0020000D") -> list[str]:
    if response.status_code == 204:
        return []
    assert response.status_code == 200, response.body
    return [answer[tag]["Value"][0] for answer in json.loads(response.body)]


STUDY_QUERIES = [
    # clause, query, StudyInstanceUIDs in the order of the answer
    ("8.3.4.1 no key", "", NEWEST_FIRST),
    # single value, PS3.4 C.2.2.2.1
    ("C.2.2.2.1 keyword", "PatientID=P1", ["1.1"]),
    ("C.2.2.2.1 tag", "00100020=P1", ["1.1"]),
    ("C.2.2.2.1 lower-case tag", "0020000d=1.1", ["1.1"]),
    ("C.2.2.2.1 case counts", "PatientID=p1", ["1.3"]),
    ("C.2.2.2.1 padding does not count", "PatientID=%20P1%20", ["1.1"]),
    ("C.2.2.2.1 per cent sign is literal", "PatientID=P%25", ["1.4"]),
    ("C.2.2.2.1 underscore is literal", "PatientID=P_", ["1.5"]),
    ("C.2.2.2.1 backslash is literal in text", "PatientID=back%5Cslash", ["1.6"]),
    ("C.2.2.2.1 quote is data", "ReferringPhysicianName=O'Brien%5EAnn", ["1.1"]),
    ("C.2.2.2.1 SQL is data", "PatientID='%20OR%20'1'%3D'1", []),
    ("C.2.2.2.1 no match", "PatientID=nobody", []),
    ("C.2.2.2.1 two keys", "PatientID=P2&PatientSex=F", ["1.2"]),
    ("C.2.2.2.1 two keys, one of which fails", "PatientID=P2&PatientSex=M", []),
    # UID list, C.2.2.2.2
    ("C.2.2.2.2 one", "StudyInstanceUID=1.2", ["1.2"]),
    ("C.2.2.2.2 comma", "StudyInstanceUID=1.4,1.2,9.9", ["1.2", "1.4"]),
    ("C.2.2.2.2 encoded comma", "StudyInstanceUID=1.4%2C1.2", ["1.2", "1.4"]),
    ("C.2.2.2.2 backslash", "StudyInstanceUID=1.4%5C1.2", ["1.2", "1.4"]),
    # universal, C.2.2.2.3
    ("C.2.2.2.3 empty value", "PatientID=", NEWEST_FIRST),
    ("C.2.2.2.3 asterisk", "PatientName=*&StudyDate=*", NEWEST_FIRST),
    ("C.2.2.2.3 asterisks", "StudyDescription=**", NEWEST_FIRST),
    # wildcards, C.2.2.2.4
    ("C.2.2.2.4 asterisk at both ends", "StudyDescription=*Thorax*", ["1.1", "1.4"]),
    ("C.2.2.2.4 asterisk is also nothing", "PatientID=P1*", ["1.1"]),
    ("C.2.2.2.4 question mark is one", "PatientID=P?", ["1.1", "1.2", "1.4", "1.5"]),
    ("C.2.2.2.4 question mark is not none", "PatientID=P1?", []),
    ("C.2.2.2.4 case counts", "StudyDescription=*thorax", []),
    ("C.2.2.2.4 per cent sign is literal", "StudyDescription=100%25*", ["1.1"]),
    ("C.2.2.2.4 underscore is literal", "StudyDescription=Knie_l*", ["1.2"]),
    ("C.2.2.2.4 the escape is literal", "PatientName=*%7C*", ["1.5"]),
    ("C.2.2.2.4 backslash is literal", "PatientID=*%5C*", ["1.6"]),
    ("C.2.2.2.4 inside, backslash", "PatientID=*k%5Cs*", ["1.6"]),
    ("C.2.2.2.4 inside, per cent sign", "StudyDescription=*0%25*", ["1.1"]),
    ("C.2.2.2.4 inside, underscore", "StudyDescription=*e_l*", ["1.2"]),
    ("C.2.2.2.4 inside, several pieces", "StudyDescription=*n*e?links", ["1.2", "1.3"]),
    ("C.2.2.2.4 inside, a longer text", "StudyDescription=*Knie links and more of it*", []),
    ("C.2.2.2.4 inside, another attribute's value", "AccessionNumber=*P*", []),
    ("C.2.2.2.4 one of them at the end", "PatientID=*1", ["1.1", "1.3"]),
    ("C.2.2.2.4 nothing but question marks", "PatientID=??", ["1.1", "1.2", "1.3", "1.4", "1.5"]),
    ("C.2.2.2.4 something", "PatientSex=?", ["1.1", "1.2"]),
    # person names
    ("PN case and accents", "PatientName=muller*", ["1.1", "1.2"]),
    ("PN accents in the query", "PatientName=M%C3%BCller%5EJ%C3%BCrgen", ["1.1"]),
    ("PN trailing delimiters", "PatientName=muller%5Ehans%5E%5E%5E", ["1.2"]),
    ("PN stroke", "PatientName=*oyvind", ["1.6"]),
    ("PN many accents", "PatientName=nguyen*", ["1.5"]),
    ("PN ideographic group", "PatientName=%E5%B1%B1%E7%94%B0*", ["1.3"]),
    ("PN phonetic group", "PatientName=*%E3%81%9F%E3%82%8D%E3%81%86", ["1.3"]),
    ("PN Hangul", "PatientName=%ED%99%8D*", ["1.4"]),
    ("PN voiced kana is another letter", "PatientName=%E3%82%84%E3%81%BE%E3%81%9F*", []),
    ("PN groups each for itself", "PatientName=yamada*%3D%E5%B1%B1%E7%94%B0*", ["1.3"]),
    ("PN group in the wrong place", "PatientName=%E5%B1%B1%E7%94%B0*%3D", []),
    ("PN only the second group", "PatientName=%3D%E6%B4%AA*", ["1.4"]),
    # ranges, C.2.2.2.5
    ("C.2.2.2.5 date", "StudyDate=20240430", ["1.1"]),
    ("C.2.2.2.5 dates, ends included", "StudyDate=20240401-20240429", ["1.2", "1.3", "1.4"]),
    ("C.2.2.2.5 from", "StudyDate=20240429-", ["1.1", "1.2"]),
    ("C.2.2.2.5 until", "StudyDate=-19991231", ["1.6", "1.5"]),
    ("C.2.2.2.5 time", "StudyTime=101530.25", ["1.1"]),
    ("C.2.2.2.5 minute", "StudyTime=1015", ["1.1"]),
    ("C.2.2.2.5 times", "StudyTime=08-1015", ["1.1", "1.3"]),
    ("C.2.2.2.5 times until", "StudyTime=-0800", ["1.3", "1.5"]),
    ("C.2.2.2.5 last moment", "StudyTime=235959-", ["1.6"]),
    ("C.2.2.2.5 combined", "StudyDate=20240402-20240429&StudyTime=09-12", []),
    ("C.2.2.2.5 combined, over midnight", "StudyDate=20240429-20240430&StudyTime=2200-11", ["1.1", "1.2"]),
    ("C.2.2.2.5 combined, first day cut", "StudyDate=20240429-20240430&StudyTime=2330-1015", ["1.1"]),
    ("C.2.2.2.5 combined, last day cut", "StudyDate=20240429-20240430&StudyTime=2200-1014", ["1.2"]),
    ("C.2.2.2.5 combined, open", "StudyDate=20240402-&StudyTime=09-", ["1.1", "1.2"]),
    ("C.2.2.2.5 range of dates, one time", "StudyDate=20240401-20240430&StudyTime=2300", ["1.2"]),
    ("birth date", "PatientBirthDate=19600101-19800101", ["1.1"]),
    # ModalitiesInStudy: any series' modality
    ("modality", "ModalitiesInStudy=CT", ["1.1", "1.3"]),
    ("modality of a later series", "ModalitiesInStudy=SEG", ["1.1"]),
    ("modalities, as OHIF sends them", "ModalitiesInStudy=CT%2CMR", ["1.1", "1.2", "1.3"]),
    ("modalities, backslash", "00080061=CR%5CMR", ["1.2", "1.4"]),
    ("modality wildcard", "ModalitiesInStudy=C?", ["1.1", "1.3", "1.4"]),
    ("modality and date", "ModalitiesInStudy=CT&StudyDate=20240430", ["1.1"]),
    # fuzzy, 8.3.4.2: beginnings of words, in any order and component group
    ("8.3.4.2 family name", "fuzzymatching=true&PatientName=muller", ["1.1", "1.2"]),
    ("8.3.4.2 beginning", "fuzzymatching=true&PatientName=m%C3%9Cll", ["1.1", "1.2"]),
    ("8.3.4.2 given name", "fuzzymatching=true&PatientName=Hans", ["1.2"]),
    ("8.3.4.2 other order", "fuzzymatching=true&PatientName=jur%20mull", ["1.1"]),
    ("8.3.4.2 as in DICOM", "PatientName=MULL%5EJ&fuzzymatching=true", ["1.1"]),
    ("8.3.4.2 comma", "fuzzymatching=true&PatientName=M%C3%BCller%2C%20Hans", ["1.2"]),
    ("8.3.4.2 no such word", "fuzzymatching=true&PatientName=ans", []),
    ("8.3.4.2 one word fails", "fuzzymatching=true&PatientName=muller%20karl", []),
    ("8.3.4.2 ideographic", "fuzzymatching=true&PatientName=%E5%A4%AA%E9%83%8E", ["1.3"]),
    ("8.3.4.2 ideographic without a gap", "fuzzymatching=true&PatientName=%E5%B1%B1%E7%94%B0%E5%A4%AA", ["1.3"]),
    ("8.3.4.2 two groups", "fuzzymatching=true&PatientName=yama%20%E5%B1%B1%E7%94%B0", ["1.3"]),
    ("8.3.4.2 Hangul without a gap", "fuzzymatching=true&PatientName=%ED%99%8D%EA%B8%B8%EB%8F%99", ["1.4"]),
    ("8.3.4.2 punctuation parts words", "fuzzymatching=true&PatientName=ha%20thi", ["1.5"]),
    ("8.3.4.2 stroke", "fuzzymatching=true&PatientName=oy%20bork", ["1.6"]),
    ("8.3.4.2 apostrophe", "fuzzymatching=true&ReferringPhysicianName=obrien", ["1.1"]),
    ("8.3.4.2 apostrophe in the query", "fuzzymatching=true&ReferringPhysicianName=ann%20o%E2%80%99brien", ["1.1"]),
    ("8.3.4.2 each attribute its words", "fuzzymatching=true&PatientName=obrien", []),
    ("8.3.4.2 other keys stay literal", "fuzzymatching=true&StudyDescription=thorax", []),
    ("8.3.4.2 other keys restrict too", "fuzzymatching=true&PatientName=mull&PatientSex=F", ["1.2"]),
    # with wildcards the literal match counts as well
    ("8.3.4.2 asterisks, found literally", "fuzzymatching=true&PatientName=*ans*", ["1.2"]),
    ("8.3.4.2 asterisks, found by words", "fuzzymatching=true&PatientName=*hans%20muller*", ["1.2"]),
    ("8.3.4.2 asterisk inside a word", "fuzzymatching=true&PatientName=m*ller*", ["1.1", "1.2"]),
    ("8.3.4.2 asterisk inside a word is no word", "fuzzymatching=true&PatientName=h*s", []),
    ("8.3.4.2 question mark", "fuzzymatching=true&PatientName=m?ller%5E*", ["1.1", "1.2"]),
    ("8.3.4.2 nothing but an asterisk", "fuzzymatching=true&PatientName=*", NEWEST_FIRST),
    ("8.3.4.2 nothing but punctuation", "fuzzymatching=true&PatientName=-", []),
    ("8.3.4.2 false", "fuzzymatching=false&PatientName=muller", []),
    # empty value, 8.3.4.5 and PS3.4 C.2.2.2.7
    ("C.2.2.2.7 text", "emptyvaluematching=true&AccessionNumber=%22%22", NEWEST_FIRST[2:]),
    ("C.2.2.2.7 text, the value after the option", "PatientID=%22%22&emptyvaluematching=true", ["1.8", "1.7"]),
    ("C.2.2.2.7 name, empty or absent", "emptyvaluematching=true&PatientName=%22%22", ["1.8", "1.7"]),
    ("C.2.2.2.7 date", "emptyvaluematching=true&StudyDate=%22%22", ["1.8", "1.7"]),
    ("C.2.2.2.7 time", "emptyvaluematching=true&StudyTime=%22%22", ["1.4", "1.8", "1.7"]),
    ("C.2.2.2.7 code", "emptyvaluematching=true&PatientSex=%22%22", NEWEST_FIRST[2:]),
    ("C.2.2.2.7 unique key", "emptyvaluematching=true&StudyInstanceUID=%22%22", []),
    ("C.2.2.2.7 collection", "emptyvaluematching=true&ModalitiesInStudy=%22%22", ["1.8", "1.7"]),
    ("C.2.2.2.7 with another key", "emptyvaluematching=true&StudyTime=%22%22&PatientID=P%25", ["1.4"]),
    ("C.2.2.2.7 fuzzy too", "emptyvaluematching=true&fuzzymatching=true&PatientName=%22%22", ["1.8", "1.7"]),
    ("C.2.2.2.7 an empty key is universal", "emptyvaluematching=true&PatientID=", NEWEST_FIRST),
    ("C.2.2.2.7 not asked for", "PatientID=%22%22", []),
    ("C.2.2.2.7 false", "emptyvaluematching=false&PatientID=%22%22", []),
    # multiple values, 8.3.4.6 and PS3.4 C.2.2.2.8
    ("C.2.2.2.8 each and every", "multiplevaluematching=true&ModalitiesInStudy=CT,SEG", ["1.1"]),
    ("C.2.2.2.8 in any order", "multiplevaluematching=true&ModalitiesInStudy=SEG%5CCT", ["1.1"]),
    ("C.2.2.2.8 one is missing", "multiplevaluematching=true&ModalitiesInStudy=CT,MR", []),
    ("C.2.2.2.8 others may be there", "multiplevaluematching=true&ModalitiesInStudy=CT", ["1.1", "1.3"]),
    ("C.2.2.2.8 one with a wildcard", "multiplevaluematching=true&ModalitiesInStudy=S*", ["1.1"]),
    ("C.2.2.2.8 not of one value", "multiplevaluematching=true&PatientSex=F,M", ["1.1", "1.2"]),
    ("C.2.2.2.8 UID lists stay lists", "multiplevaluematching=true&StudyInstanceUID=1.1,1.2", ["1.1", "1.2"]),
    ("C.2.2.2.8 false", "multiplevaluematching=false&ModalitiesInStudy=CT,MR", ["1.1", "1.2", "1.3"]),
    # page
    ("8.3.4.4 limit", "limit=2", ["1.1", "1.2"]),
    ("8.3.4.4 offset without limit", "offset=6", ["1.8", "1.7"]),
    ("8.3.4.4 both", "limit=2&offset=3", ["1.4", "1.6"]),
    ("8.3.4.4 past the end", "offset=8", []),
    # what OHIF sends
    (
        "OHIF list",
        "limit=101&offset=0&fuzzymatching=false"
        "&includefield=00081030%2C00080060%2C00080090%2C00100030&PatientName=*muller*",
        ["1.1", "1.2"],
    ),
    ("OHIF list, fuzzy", "limit=101&offset=0&fuzzymatching=true&00100020=*P1*", ["1.1"]),
    ("OHIF dates", "StudyDate=20240401-20240430&ModalitiesInStudy=CT%2CMR", ["1.1", "1.2", "1.3"]),
    ("StudyID", "StudyID=S*", ["1.1"]),
    ("AccessionNumber", "AccessionNumber=*2*", ["1.2"]),
]


@pytest.mark.parametrize(
    ("query", "expected"), [row[1:] for row in STUDY_QUERIES], ids=[row[0] for row in STUDY_QUERIES]
)
def test_search_for_studies_finds(get, query, expected):
    response = get(f"/studies?{query}" if query else "/studies")
    assert uids(response) == expected
    assert (response.status_code == 204) is (not expected)


SERIES_QUERIES = [
    ("all series, by UID", "/series", 10, None),
    ("series of one study", "/studies/1.1/series", 2, ["1.1.1", "1.1.10"]),
    ("series of no study", "/studies/9.9/series", 0, []),
    ("modality", "/series?Modality=CT", 2, ["1.1.1", "1.3.2"]),
    ("modality list", "/series?Modality=PT%2CSEG", 2, ["1.1.10", "1.3.1"]),
    ("series number", "/series?SeriesNumber=10", 1, ["1.1.10"]),
    ("series number, padded", "/series?SeriesNumber=%2B010", 1, ["1.1.10"]),
    ("series UID list", "/series?SeriesInstanceUID=1.1.1,1.2.1", 2, ["1.1.1", "1.2.1"]),
    ("description", "/series?SeriesDescription=*5mm", 1, ["1.1.1"]),
    ("key of the study", "/series?PatientName=yamada*", 2, ["1.3.1", "1.3.2"]),
    ("ModalitiesInStudy", "/series?ModalitiesInStudy=PT", 2, ["1.3.1", "1.3.2"]),
    ("step date", "/series?PerformedProcedureStepStartDate=20240430", 1, ["1.1.1"]),
    (
        "step date and time",
        "/series?00400244=20240429-20240430&00400245=23-1014",
        0,
        [],
    ),
    ("item of a sequence", "/series?RequestAttributesSequence.ScheduledProcedureStepID=SPS2", 1, ["1.1.1"]),
    ("item by tags", "/series?00400275.00401001=RP1", 1, ["1.1.1"]),
    ("item by both", "/series?RequestAttributesSequence.00401001=RP?", 1, ["1.1.1"]),
    (
        "one item matches both",
        "/series?00400275.00400009=SPS1&00400275.00401001=RP1",
        1,
        ["1.1.1"],
    ),
    ("no item matches both", "/series?00400275.00400009=SPS1&00400275.00401001=RP2", 0, []),
    ("page", "/series?limit=2&offset=1", 2, ["1.1.10", "1.2.1"]),
    ("fuzzy key of the study", "/series?fuzzymatching=true&PatientName=jur%20mul", 2, ["1.1.1", "1.1.10"]),
    ("fuzzy in one study", "/studies/1.2/series?fuzzymatching=true&PatientName=hans", 1, ["1.2.1"]),
    ("empty text", "/studies/1.1/series?emptyvaluematching=true&SeriesDescription=%22%22", 1, ["1.1.10"]),
    ("empty number", "/series?emptyvaluematching=true&SeriesNumber=%22%22&PatientID=p1", 2, ["1.3.1", "1.3.2"]),
    ("empty date", "/studies/1.1/series?emptyvaluematching=true&00400244=%22%22", 1, ["1.1.10"]),
    ("empty code", "/series?emptyvaluematching=true&Modality=%22%22", 2, ["1.7.1", "1.8.1"]),
    ("empty key of the study", "/series?emptyvaluematching=true&StudyDate=%22%22", 2, ["1.7.1", "1.8.1"]),
    (
        "no items",
        "/studies/1.1/series?emptyvaluematching=true&RequestAttributesSequence=%22%22",
        1,
        ["1.1.10"],
    ),
    ("any items", "/studies/1.1/series?RequestAttributesSequence=", 2, None),
    ("empty in an item, or no item", "/series?emptyvaluematching=true&00400275.00401001=%22%22", 9, None),
    (
        "empty in the item that matches",
        "/series?emptyvaluematching=true&00400275.00401001=%22%22&00400275.00400009=SPS3",
        1,
        ["1.2.1"],
    ),
    (
        "not empty in the item that matches",
        "/series?emptyvaluematching=true&00400275.00401001=%22%22&00400275.00400009=SPS1",
        0,
        [],
    ),
    (
        "two empty in one item",
        "/series?emptyvaluematching=true&00400275.00401001=%22%22&00400275.00400009=%22%22",
        8,
        None,
    ),
    ("all modalities", "/series?multiplevaluematching=true&ModalitiesInStudy=CT,PT", 2, ["1.3.1", "1.3.2"]),
    ("a series has one modality", "/series?multiplevaluematching=true&Modality=PT,SEG", 2, ["1.1.10", "1.3.1"]),
]


@pytest.mark.parametrize(
    ("resource", "count", "expected"),
    [row[1:] for row in SERIES_QUERIES],
    ids=[row[0] for row in SERIES_QUERIES],
)
def test_search_for_series_finds(get, resource, count, expected):
    found = uids(get(resource), "0020000E")
    assert len(found) == count
    if expected is not None:
        assert found == expected


INSTANCE_QUERIES = [
    ("instances of a series", "/studies/1.1/series/1.1.1/instances", ["1.1.1.1", "1.1.1.2"]),
    ("of the series whose UID goes on", "/studies/1.1/series/1.1.10/instances", ["1.1.10.1"]),
    ("of a series of another study", "/studies/1.2/series/1.1.1/instances", []),
    ("instances of a study", "/studies/1.1/instances", ["1.1.1.1", "1.1.1.2", "1.1.10.1"]),
    ("SOP instance", "/instances?SOPInstanceUID=1.2.1.1", ["1.2.1.1"]),
    ("number", "/studies/1.1/instances?InstanceNumber=2", ["1.1.1.2"]),
    ("keys of the levels above", "/instances?Modality=CT&PatientID=p1", ["1.3.2.1"]),
    (
        "SOP class",
        "/studies/1.1/series/1.1.1/instances?SOPClassUID=1.2.840.10008.5.1.4.1.1.2",
        ["1.1.1.1", "1.1.1.2"],
    ),
    ("empty number", "/studies/1.1/instances?emptyvaluematching=true&InstanceNumber=%22%22", ["1.1.10.1"]),
    ("fuzzy key of the study", "/instances?fuzzymatching=true&PatientName=taro%20yama", ["1.3.1.1", "1.3.2.1"]),
    ("no modality", "/instances?emptyvaluematching=true&Modality=%22%22", ["1.7.1.1", "1.8.1.1"]),
    (
        "all modalities",
        "/instances?multiplevaluematching=true&ModalitiesInStudy=CT,SEG",
        ["1.1.1.1", "1.1.1.2", "1.1.10.1"],
    ),
    ("other SOP class", "/instances?SOPClassUID=1.2.840.10008.5.1.4.1.1.4", []),
]


@pytest.mark.parametrize(
    ("resource", "expected"), [row[1:] for row in INSTANCE_QUERIES], ids=[row[0] for row in INSTANCE_QUERIES]
)
def test_search_for_instances_finds(get, resource, expected):
    assert uids(get(resource), "00080018") == expected


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


def test_what_remains_is_counted_in_a_warning(get):
    response = get("/studies?limit=3&offset=1")
    assert response.status_code == 200
    assert response.headers["Warning"] == (f'299 {ROOT}: "There are 4 additional results that can be requested"')
    assert "Warning" not in get("/studies?limit=3&offset=5").headers


def test_a_limit_of_zero_counts_only(get):
    response = get("/studies?limit=0")
    assert (response.status_code, json.loads(response.body)) == (200, [])
    assert "There are 8 additional results" in response.headers["Warning"]


def test_nothing_found_is_204_without_a_body(get):
    response = get("/studies?PatientID=nobody")
    assert (response.status_code, response.body) == (204, b"")


@pytest.mark.parametrize("option", ["fuzzymatching", "emptyvaluematching", "multiplevaluematching"])
def test_every_option_is_done_and_needs_no_warning(get, option):
    response = get(f"/studies?PatientID=P1&PatientName=*&{option}=true")
    assert uids(response) == ["1.1"]
    assert "Warning" not in response.headers


def test_a_field_that_is_not_kept_is_warned_of(get):
    warning = get("/studies?PatientID=P1&includefield=PatientShoeSize").headers["Warning"]
    assert "PatientShoeSize" in warning
    warning = get("/studies?PatientID=P1&includefield=00080060").headers["Warning"]
    assert "00080060" in warning


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


XML = 'multipart/related; type="application/dicom+xml"'


def xml_parts(response) -> list[ET.Element]:
    head = f"Content-Type: {response.headers['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + response.body, policy=policy.HTTP)
    assert message.get_content_type() == "multipart/related"
    assert message.get_param("type") == "application/dicom+xml"
    parts = list(message.iter_parts())
    assert {part.get_content_type() for part in parts} == {"application/dicom+xml"}
    return [ET.fromstring(part.get_payload(decode=True)) for part in parts]


@pytest.mark.parametrize(
    "accept",
    [XML, "multipart/related;type=application/dicom+xml", XML + ", application/dicom+json;q=0.1", "multipart/*"],
)
def test_answers_are_xml_where_that_is_asked_for(get, accept):
    response = get("/studies?limit=2", accept)
    assert response.status_code == 200
    first, second = xml_parts(response)
    namespace = {"": "http://dicom.nema.org/PS3.19/models/NativeDICOM"}
    assert [attribute.get("tag") for attribute in first] == STUDY_TAGS
    assert first.find("./DicomAttribute[@tag='00100010']", namespace).get("keyword") == "PatientName"
    assert first.findtext("./DicomAttribute[@tag='00100010']//FamilyName", None, namespace) == "Müller"
    modalities = first.findall("./DicomAttribute[@keyword='ModalitiesInStudy']/Value", namespace)
    assert [(value.get("number"), value.text) for value in modalities] == [("1", "CT"), ("2", "SEG")]
    assert first.findtext("./DicomAttribute[@keyword='RetrieveURL']/Value", None, namespace) == f"{ROOT}/studies/1.1"
    assert second.findtext("./DicomAttribute[@keyword='StudyInstanceUID']/Value", None, namespace) == "1.2"
    assert "There are 6 additional results" in response.headers["Warning"]


def test_xml_shows_sequences_and_all_levels(get):
    first, _ = xml_parts(get("/series?PatientID=P1", XML))
    namespace = {"": "http://dicom.nema.org/PS3.19/models/NativeDICOM"}
    items = first.findall("./DicomAttribute[@keyword='RequestAttributesSequence']/Item", namespace)
    assert [item.get("number") for item in items] == ["1", "2"]
    assert items[1].findtext("./DicomAttribute[@keyword='RequestedProcedureID']/Value", None, namespace) == "RP2"
    assert {attribute.get("tag") for attribute in first} == {*STUDY_TAGS, *SERIES_TAGS}


@pytest.mark.parametrize("query", ["PatientID=nobody", "limit=0"])
def test_xml_of_nothing_is_204(get, query):
    response = get(f"/studies?{query}", XML)
    assert (response.status_code, response.body) == (204, b"")
    assert ("Warning" in response.headers) is (query == "limit=0")


STUDY_TAGS = [
    "00080005", "00080020", "00080030", "00080050", "00080056", "00080061", "00080090", "00081030", "00081190",
    "00100010", "00100020", "00100030", "00100040", "0020000D", "00200010", "00201206", "00201208",
]  # fmt: skip
SERIES_TAGS = [
    "00080005", "00080056", "00080060", "0008103E", "00081190", "0020000D", "0020000E", "00200011", "00201209",
    "00400244", "00400245", "00400275",
]  # fmt: skip


def test_a_study_shows_all_required_attributes_even_without_values(get):
    [answer] = json.loads(get("/studies?StudyInstanceUID=1.7").body)
    assert list(answer) == STUDY_TAGS
    assert answer["00100010"] == {"vr": "PN"}
    assert answer["00080061"] == {"vr": "CS"}


def test_a_study_shows_exact_counts_modalities_and_where_to_retrieve_it(get):
    [answer] = json.loads(get("/studies?PatientID=P1").body)
    assert list(answer) == STUDY_TAGS
    assert values(answer, "00080061") == ["CT", "SEG"]
    assert values(answer, "00201206") == [2]
    assert values(answer, "00201208") == [3]
    assert values(answer, "00081190") == [f"{ROOT}/studies/1.1"]
    assert values(answer, "00080056") == ["ONLINE"]
    assert values(answer, "00100010") == [{"Alphabetic": "Müller^Jürgen"}]


def test_series_of_one_study_show_only_their_own_level(get):
    first, second = json.loads(get("/studies/1.1/series").body)
    assert list(first) == list(second) == SERIES_TAGS
    assert values(first, "00201209") == [2]
    assert values(first, "00081190") == [f"{ROOT}/studies/1.1/series/1.1.1"]
    assert values(first, "00400275") == [_request("SPS1", "RP1"), _request("SPS2", "RP2")]
    assert second["00400275"] == {"vr": "SQ"}


def test_series_over_all_studies_show_the_study_too(get):
    [answer] = json.loads(get("/series?SeriesInstanceUID=1.1.10").body)
    assert set(answer) == {*STUDY_TAGS, *SERIES_TAGS}
    assert values(answer, "00201208") == [3]
    assert values(answer, "00080061") == ["CT", "SEG"]


def test_instances_show_the_levels_that_their_path_does_not_name(get):
    own = {"00080005", "00080016", "00080018", "00080056", "00081190", "0020000D", "0020000E", "00200013"}
    first, second = json.loads(get("/studies/1.1/series/1.1.1/instances").body)
    assert set(first) == own
    assert set(second) == own | {"00280010"}
    assert values(second, "00081190") == [f"{ROOT}/studies/1.1/series/1.1.1/instances/1.1.1.2"]
    [answer] = json.loads(get("/studies/1.2/instances").body)
    assert set(answer) == own | set(SERIES_TAGS)
    [answer] = json.loads(get("/instances?SOPInstanceUID=1.2.1.1").body)
    assert set(answer) == own | set(SERIES_TAGS) | set(STUDY_TAGS)


@pytest.mark.parametrize(
    ("includefield", "added"),
    [
        ("includefield=SeriesDate", {"00080021"}),
        ("includefield=0008103E%2C00080021%2C00080031", {"00080021", "00080031"}),
        ("includefield=SeriesDate&includefield=00080031", {"00080021", "00080031"}),
        ("includefield=PatientName", {"00100010"}),
        ("includefield=RequestAttributesSequence.RequestedProcedureID", set()),
        ("includefield=RetrieveURL%2C00080056", set()),
        ("includefield=all", {"00100010", "00100020", "00080020", "00080061", "00201208"}),
        ("SeriesTime=", {"00080031"}),
    ],
)
def test_included_fields_and_matching_keys_are_shown(get, includefield, added):
    response = get(f"/studies/1.1/series?{includefield}")
    assert "Warning" not in response.headers
    shown = set(json.loads(response.body)[0])
    assert shown >= set(SERIES_TAGS) | added
    if "all" not in includefield:
        assert shown == set(SERIES_TAGS) | added


def test_answers_of_searches_are_not_cached(get):
    assert get("/studies").headers["Cache-Control"] == "no-cache"


def test_each_series_of_several_studies_shows_its_own_study(get):
    shown = {
        answer["0020000E"]["Value"][0]: (
            values(answer, "0020000D"),
            values(answer, "00100020"),
            values(answer, "00080061"),
            values(answer, "00201206"),
            values(answer, "00201209"),
        )
        for answer in json.loads(get("/series?StudyInstanceUID=1.1,1.3").body)
    }
    assert shown == {
        "1.1.1": (["1.1"], ["P1"], ["CT", "SEG"], [2], [2]),
        "1.1.10": (["1.1"], ["P1"], ["CT", "SEG"], [2], [1]),
        "1.3.1": (["1.3"], ["p1"], ["CT", "PT"], [2], [1]),
        "1.3.2": (["1.3"], ["p1"], ["CT", "PT"], [2], [1]),
    }


def test_each_instance_of_several_studies_shows_its_own_series_and_study(get):
    shown = {
        answer["00080018"]["Value"][0]: (
            values(answer, "0020000E"),
            values(answer, "00080060"),
            values(answer, "00100020"),
            values(answer, "00201208"),
            values(answer, "00081190"),
        )
        for answer in json.loads(get("/instances?StudyInstanceUID=1.2,1.3").body)
    }
    root = f"{ROOT}/studies"
    assert shown == {
        "1.2.1.1": (["1.2.1"], ["MR"], ["P2"], [1], [f"{root}/1.2/series/1.2.1/instances/1.2.1.1"]),
        "1.3.1.1": (["1.3.1"], ["PT"], ["p1"], [2], [f"{root}/1.3/series/1.3.1/instances/1.3.1.1"]),
        "1.3.2.1": (["1.3.2"], ["CT"], ["p1"], [2], [f"{root}/1.3/series/1.3.2/instances/1.3.2.1"]),
    }


def test_an_instance_shows_its_transfer_syntax_and_image_where_it_has_them(get):
    [answer] = json.loads(get("/instances?SOPInstanceUID=1.4.1.1").body)
    assert values(answer, "00083002") == ["1.2.840.10008.1.2.4.70"]
    assert [values(answer, tag) for tag in ("00280008", "00280010", "00280011", "00280100")] == [
        [3],
        [512],
        [256],
        [16],
    ]
    assert values(answer, "00080201") == ["+0100"]
    [other] = json.loads(get("/instances?SOPInstanceUID=1.2.1.1").body)
    assert not {"00083002", "00280008", "00280010", "00280011", "00280100", "00080201"} & set(other)


@pytest.mark.parametrize(
    ("resource", "shown", "warned"),
    [
        # of the instance's own data set
        ("/studies/1.2/instances?includefield=SliceThickness", {"00180050": [2.5]}, None),
        ("/studies/1.2/instances?includefield=00180050%2CKVP", {"00180050": [2.5]}, None),
        (
            "/instances?SOPInstanceUID=1.2.1.1&includefield=00091001&00090010=ACME",
            {"00091101": ["x"], "00090011": ["ACME"]},
            None,
        ),
        ("/studies/1.2/instances?includefield=00091001&00090010=OTHER", {}, None),
        # not kept at the level, or not told whose
        ("/studies/1.2/instances?includefield=00091001", {}, "00091001"),
        ("/studies/1.2/series?includefield=SliceThickness", {}, "SliceThickness"),
        ("/studies?includefield=SliceThickness%2C00189999&PatientID=P2", {}, "SliceThickness, 00189999"),
        ("/studies?PatientID=P2&includefield=00091001&00090010=ACME", {}, "00091001"),
        (
            "/series?PatientID=P2&includefield=RequestAttributesSequence.00400007",
            {},
            "RequestAttributesSequence.00400007",
        ),
        ("/studies/1.2/instances?includefield=PatientShoeSize", {}, "PatientShoeSize"),
    ],
)
def test_fields_outside_the_table_are_shown_where_the_data_set_has_them_or_warned_of(get, resource, shown, warned):
    response = get(resource)
    [answer] = json.loads(response.body)
    beyond = {"00180050", "00090010", "00090011", "00091001", "00091101", "00189999"} & set(answer)
    assert {tag: values(answer, tag) for tag in beyond} == shown
    assert ("Warning" in response.headers) is (warned is not None)
    if warned:
        assert warned in response.headers["Warning"]


LAMBDA_ANSWER_BYTES = 6 * 1024 * 1024


@pytest.mark.parametrize("accept", ["application/dicom+json", XML])
def test_pages_of_large_results_stay_below_the_payload_limit_and_lose_none(accept, monkeypatch):
    """100 studies of 150 KB each: 15 MB, of which one answer of a function holds 6 MB in base64."""
    publications = [make_publication(f"1.{n}", StudyDescription="\u5c71" * 50_000) for n in range(100)]
    index = MemoryIndex()
    for publication in publications:
        publish(index, publication)
    found: list[str] = []
    with answering(index, AnsweringRecords(*publications), monkeypatch) as send:
        while True:
            response = send(f"/studies?offset={len(found)}", accept)
            assert response.status_code == 200
            assert len(base64.b64encode(response.body)) + 10_000 < LAMBDA_ANSWER_BYTES
            found += xml_uids(response) if accept == XML else uids(response)
            if len(found) == 100:
                break
            assert f"There are {100 - len(found)} additional results" in response.headers["Warning"]
    assert "Warning" not in response.headers
    assert len(set(found)) == 100


def xml_uids(response) -> list[str]:
    path = "./DicomAttribute[@tag='0020000D']/Value"
    namespace = {"": "http://dicom.nema.org/PS3.19/models/NativeDICOM"}
    return [part.findtext(path, "", namespace) for part in xml_parts(response)]


class _SlowIndex(MemoryIndex):
    def search(self, query):
        raise SearchTooBroadError("the search is too broad to be answered in time")


def test_a_search_too_broad_to_serve_is_413(monkeypatch):
    with answering(_SlowIndex(), AnsweringRecords(), monkeypatch) as send:
        response = send("/instances")
    assert response.status_code == 413
    assert "too broad" in json.loads(response.body)["error"]


def test_a_result_larger_than_any_answer_is_413(monkeypatch):
    publication = make_publication("1.1", StudyDescription="x" * 5_000_000)
    index = MemoryIndex()
    publish(index, publication)
    with answering(index, AnsweringRecords(publication), monkeypatch) as send:
        assert send("/studies").status_code == 413
