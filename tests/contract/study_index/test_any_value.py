"""No value of an instance keeps its study from being published, whatever the index is made of."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.memory.stores import MemoryObjectStore, MemoryRecordStore
from chalicelib.dicomweb.attributes import ATTRIBUTES, Level
from chalicelib.dicomweb.compression import compress
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.ports import ObjectVersion, StudyIndex
from chalicelib.services.publish_study import PublishStudy

NUMBERS = count(1)
LANDING = ObjectVersion("landing", "any/key", "1")
STORED_AT = datetime(2024, 3, 1, tzinfo=UTC)

# Texts that have broken a parser, a collation or a column before.
HOSTILE = st.sampled_from(
    [
        "\0",
        "x\0y",
        " ",
        "\ud800",
        "--5",
        "1" * 5000,
        "00000000",
        "99991231",
        "240000",
        "x" * 300,
        "𠮷",
        "\U0010ffff",
        "%_\\",
    ]
)
TEXT = HOSTILE | st.text(max_size=20)
# NaN and infinity are texts in the DICOM JSON Model (`json_model`).
NUMBER = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
NAME = st.dictionaries(st.sampled_from(["Alphabetic", "Ideographic", "Phonetic", "x"]), TEXT, max_size=3)
TAGS = [attribute.tag for attribute in ATTRIBUTES]


def elements(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    element = st.fixed_dictionaries({"vr": st.just("UN"), "Value": st.lists(values, min_size=1, max_size=2)})
    return st.fixed_dictionaries({}, optional=dict.fromkeys(TAGS, element | st.just({"vr": "UN"})))


ITEM = st.dictionaries(st.sampled_from(TAGS), st.just({"vr": "UN"}) | st.just({"vr": "UN", "Value": ["x" * 300]}))
INSTANCES = elements(HOSTILE) | elements(TEXT | NUMBER | NAME | ITEM | st.none())


# One index serves all examples: each publishes a study of its own.
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(instances=st.lists(INSTANCES, min_size=1, max_size=4))
def test_no_value_keeps_a_study_from_being_published(index: StudyIndex, instances: list[dict[str, Any]]) -> None:
    study = f"1.{next(NUMBERS)}"
    records, objects = MemoryRecordStore(), MemoryObjectStore()
    for number, qido in enumerate(instances):
        uids = ResourceUids(study, f"{study}.{number % 2}", f"{study}.{number % 2}.{number}")
        records.claim_instance(uids, sha256="00", landing=LANDING, stored_at=STORED_AT)
        records.complete_instance(uids, qido=qido, metadata=compress(b"[{}]"))
    publish = PublishStudy(index=index, records=records, objects=objects, static_bucket="static").publish
    assert publish(study)
    found = index.search(QidoQuery.parse(Level.INSTANCE, [], study_instance_uid=study))
    assert len(found.keys) == len(instances)
    assert index.search(QidoQuery.parse(Level.STUDY, [("StudyInstanceUID", study)])).keys == [ResourceUids(study)]


@pytest.mark.parametrize("day", ["00010101", "99991231", "10000229"])
def test_dates_at_the_ends_of_the_calendar_are_published(index: StudyIndex, day: str) -> None:
    records, objects = MemoryRecordStore(), MemoryObjectStore()
    uids = ResourceUids("1.2", "1.2.3", "1.2.3.4")
    records.claim_instance(uids, sha256="00", landing=LANDING, stored_at=STORED_AT)
    qido = {"00080020": {"vr": "DA", "Value": [day]}}
    records.complete_instance(uids, qido=qido, metadata=compress(b"[{}]"))
    assert PublishStudy(index=index, records=records, objects=objects, static_bucket="static").publish("1.2")
