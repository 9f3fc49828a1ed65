"""Attributes that the answers of a search show: PS3.18 §10.6.3 and §8.3.4.3."""

import json

import pytest

from tests.conformance.qido.answers import ROOT, uids, values
from tests.conformance.qido.studies import SERIES_TAGS, STUDY_TAGS, requested


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
    assert values(first, "00400275") == [requested("SPS1", "RP1"), requested("SPS2", "RP2")]
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
        # from the instance's own data set
        ("/studies/1.2/instances?includefield=SliceThickness", {"00180050": [2.5]}, None),
        ("/studies/1.2/instances?includefield=00180050%2CKVP", {"00180050": [2.5]}, None),
        (
            "/instances?SOPInstanceUID=1.2.1.1&includefield=00091001&00090010=ACME",
            {"00091101": ["x"], "00090011": ["ACME"]},
            None,
        ),
        ("/studies/1.2/instances?includefield=00091001&00090010=OTHER", {}, None),
        # not stored at this level, or private without its creator
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
