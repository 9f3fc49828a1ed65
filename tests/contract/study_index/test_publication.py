"""The contract of StudyIndex: publications, what they replace, and values of any kind."""

from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.ports import AggregateState
from tests.support.qido_builders import make_publication, make_series, publish, search


def test_versions_count_up_and_are_covered_by_a_commit(index):
    assert [index.mark_dirty("1.2"), index.mark_dirty("1.2"), index.mark_dirty("1.3")] == [1, 2, 1]
    with index.turn("1.2") as turn:
        assert (turn.published_version(), turn.dirty_version()) == (0, 2)
        assert turn.aggregates() == {}
        turn.ensure_held()
        turn.commit(2, make_publication("1.2"))
        assert turn.published_version() == 2
    with index.turn("1.3") as turn:
        assert turn.published_version() == 0


def test_published_version_never_goes_back(index):
    with index.turn("1.2") as turn:
        turn.commit(5, make_publication("1.2"))
        turn.commit(3, make_publication("1.2"))
        assert turn.published_version() == 5


def test_aggregates_are_what_was_last_committed(index):
    first = {"": AggregateState('"a"', "d1"), "1.2.1": AggregateState('"b"', "d2")}
    publish(index, make_publication("1.2", aggregates=first))
    publish(index, make_publication("1.2", aggregates={"": AggregateState('"c"', "d3")}))
    with index.turn("1.2") as turn:
        assert turn.aggregates() == {
            "": AggregateState('"c"', "d3"),
            "1.2.1": AggregateState('"b"', "d2"),
        }


def test_nothing_is_found_before_the_first_publication(index):
    index.mark_dirty("1.2")
    page = search(index, Level.STUDY)
    assert (page.keys, page.remaining) == ([], 0)


def test_a_publication_shows_study_series_and_instances(index):
    publish(index, make_publication("1.2", [make_series("1.2.1", ["1.2.1.1", "1.2.1.2"]), make_series("1.2.10")]))
    assert search(index, Level.STUDY).keys == [ResourceUids("1.2")]
    assert search(index, Level.SERIES).keys == [ResourceUids("1.2", "1.2.1"), ResourceUids("1.2", "1.2.10")]
    assert search(index, Level.INSTANCE, study_instance_uid="1.2", series_instance_uid="1.2.1").keys == [
        ResourceUids("1.2", "1.2.1", "1.2.1.1"),
        ResourceUids("1.2", "1.2.1", "1.2.1.2"),
    ]
    # The UID of the other series is the beginning of this one's.
    assert search(index, Level.INSTANCE, study_instance_uid="1.2", series_instance_uid="1.2.10").keys == []


def test_a_second_publication_corrects_and_adds_and_repeats_nothing(index):
    publish(index, make_publication("1.2", [make_series("1.2.1", ["1.2.1.1"])], PatientID="OLD"))
    again = make_publication(
        "1.2", [make_series("1.2.1", ["1.2.1.1", "1.2.1.2"]), make_series("1.2.3", ["3"])], PatientID="NEW"
    )
    publish(index, again)
    publish(index, again)
    assert search(index, Level.STUDY, ("PatientID", "OLD")).keys == []
    assert search(index, Level.STUDY, ("PatientID", "NEW")).keys == [ResourceUids("1.2")]
    assert len(search(index, Level.SERIES).keys) == 2
    assert len(search(index, Level.INSTANCE).keys) == 3


def test_one_sop_instance_uid_in_two_studies_is_two_instances(index):
    publish(index, make_publication("1.2", [make_series("7", ["9"])]))
    publish(index, make_publication("1.3", [make_series("7", ["9"])]))
    assert sorted(search(index, Level.INSTANCE).keys) == [
        ResourceUids("1.2", "7", "9"),
        ResourceUids("1.3", "7", "9"),
    ]


def test_request_attributes_that_were_removed_no_longer_match(index):
    def items(*steps: str):
        return [{"00400009": {"vr": "SH", "Value": [step]}} for step in steps]

    publish(index, make_publication("1.2", [make_series("7", RequestAttributesSequence=items("A", "B"))]))
    publish(index, make_publication("1.2", [make_series("7", RequestAttributesSequence=items("C"))]))
    key = "RequestAttributesSequence.ScheduledProcedureStepID"
    assert search(index, Level.SERIES, (key, "B")).keys == []
    assert search(index, Level.SERIES, (key, "C")).keys == [ResourceUids("1.2", "7")]


def test_words_of_a_name_that_was_corrected_no_longer_match(index):
    def find(name: str):
        return search(index, Level.STUDY, ("PatientName", name), ("fuzzymatching", "true")).keys

    publish(index, make_publication("1.2", PatientName="Doe^Jane", ReferringPhysicianName="Roe^Jim"))
    publish(index, make_publication("1.2", PatientName="Smith^Jane", ReferringPhysicianName="Roe^Jim"))
    assert find("doe") == []
    assert find("roe") == []  # another attribute's word
    assert find("jane smith") == [ResourceUids("1.2")]
    publish(index, make_publication("1.2", PatientName=None))
    assert find("jane") == []


def test_hostile_names_have_words_too(index):
    publish(index, make_publication("1.2", PatientName="x" * 5000 + " " + " ".join(map(str, range(100)))))
    assert search(index, Level.STUDY, ("PatientName", "x" * 65), ("fuzzymatching", "true")).keys == [
        ResourceUids("1.2")
    ]


def test_an_invalid_value_counts_as_no_value(index):
    publish(index, make_publication("1.2", [make_series("7", SeriesNumber="one")], StudyDate="2024", StudyTime="noon"))
    keys = [("StudyDate", '""'), ("StudyTime", '""'), ("SeriesNumber", '""'), ("emptyvaluematching", "true")]
    assert search(index, Level.SERIES, *keys).keys == [ResourceUids("1.2", "7")]


def test_the_first_value_counts_of_an_attribute_that_should_have_one(index):
    publish(index, make_publication("1.2", PatientID=["A", "B"], PatientName=["Doe^Jane", "Roe^Jim"]))
    assert search(index, Level.STUDY, ("PatientID", "A")).keys == [ResourceUids("1.2")]
    assert search(index, Level.STUDY, ("PatientID", "B")).keys == []
    assert search(index, Level.STUDY, ("PatientName", "Roe*")).keys == []
    assert search(index, Level.STUDY, ("PatientName", "jim"), ("fuzzymatching", "true")).keys == []


def test_many_instances_are_inserted_whole(index):
    uids = [f"1.2.1.{number}" for number in range(1203)]
    publish(index, make_publication("1.2", [make_series("1.2.1", uids)]))
    page = search(index, Level.INSTANCE, ("limit", "1000"), study_instance_uid="1.2")
    assert (len(page.keys), page.remaining) == (1000, 203)


HOSTILE = {
    "StudyDate": ["20241399", "\ud800", "19" * 4000],
    "StudyTime": "996199",
    "PatientID": "x" * 5000,
    "PatientName": "y" * 5000 + "=\ud83d\x00",
    "AccessionNumber": 17,
    "PatientBirthDate": {"not": "text"},
    "StudyID": "a'b\"c\\d%s\x00",
}


def test_hostile_values_do_not_stop_a_publication(index):
    publish(index, make_publication("1.2", [make_series("7", SeriesNumber="99999999999")], **HOSTILE))
    publish(index, make_publication("1.3", [make_series("7", SeriesNumber=1e300, SeriesTime=[[]])]))
    assert len(search(index, Level.STUDY).keys) == 2
    assert search(index, Level.STUDY, ("AccessionNumber", "17")).keys == [ResourceUids("1.2")]
    assert search(index, Level.STUDY, ("StudyID", "a'b\"c\\d%s")).keys == [ResourceUids("1.2")]


def test_a_value_that_was_corrected_is_found_by_texts_inside_the_new_one_only(index):
    publish(index, make_publication("1.2", PatientID="P-OLD-1", StudyDescription="Knee old"))
    publish(index, make_publication("1.3", PatientID="P-OLD-1"))
    publish(index, make_publication("1.2", PatientID="P-NEW-1", StudyDescription=None))
    assert search(index, Level.STUDY, ("PatientID", "*NEW*")).keys == [ResourceUids("1.2")]
    assert search(index, Level.STUDY, ("PatientID", "*OLD*")).keys == [ResourceUids("1.3")]
    assert search(index, Level.STUDY, ("StudyDescription", "*old*")).keys == []
    # Back to a value that the index has already.
    publish(index, make_publication("1.2", PatientID="P-OLD-1"))
    assert sorted(search(index, Level.STUDY, ("PatientID", "*OLD*")).keys) == [ResourceUids("1.2"), ResourceUids("1.3")]
