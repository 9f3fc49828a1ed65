"""Matching (PS3.18 §8.3.4, PS3.4 §C.2.2.2): one row for each rule."""

import pytest

from chalicelib.dicomweb.attributes import ATTRIBUTES, BY_KEYWORD, Level, Matching
from tests.conformance.qido.answers import uids
from tests.conformance.qido.studies import FOUND_BY, NEWEST_FIRST

OF_LEVEL = {
    Level.STUDY: ("/studies", "0020000D"),
    Level.SERIES: ("/series", "0020000E"),
    Level.INSTANCE: ("/instances", "00080018"),
}


@pytest.mark.parametrize(("key", "value", "expected"), FOUND_BY, ids=[row[0] for row in FOUND_BY])
def test_each_searchable_attribute_finds_its_values(get, key, value, expected):
    resource, uid_tag = OF_LEVEL[BY_KEYWORD[key.split(".")[-1]].level]
    assert uids(get(f"{resource}?{key}={value}"), uid_tag) == expected


def test_no_searchable_attribute_lacks_a_row():
    searchable = {attribute.keyword for attribute in ATTRIBUTES if attribute.matching is not Matching.NONE}
    # A sequence is searched for by the attributes of its items.
    assert {row[0].split(".")[-1] for row in FOUND_BY} == searchable - {"RequestAttributesSequence"}


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
    # a name with wildcards also matches literally
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
