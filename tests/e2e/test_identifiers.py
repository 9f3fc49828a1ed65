"""UIDs, names and missing attributes that servers often handle wrongly: stored, then found and retrieved."""

from dataclasses import dataclass

import pytest

from tests.e2e.support.clients import get, search, store, values
from tests.e2e.support.sources import fresh_uid, fresh_uids
from tests.support.builders import make_instance

STUDY_UID, SERIES_UID, SOP_UID = "0020000D", "0020000E", "00080018"
PATIENT_NAME, MODALITY, SERIES_NUMBER, STUDY_DATE = "00100010", "00080060", "00200011", "00080020"


# --- UIDs ---------------------------------------------------------------------------------------


def test_a_series_whose_uid_begins_with_anothers_is_a_series_of_its_own(archive, backend) -> None:
    study = fresh_uid()
    series = [f"{study[:50]}.3.{suffix}" for suffix in ("10", "1", "11", "100")]  # longer first
    instances = [[fresh_uid() for _ in range(count)] for count in range(1, 5)]
    for series_uid, sop_uids in zip(series, instances, strict=True):
        for sop_uid in sop_uids:
            uids = {"StudyInstanceUID": study, "SeriesInstanceUID": series_uid, "SOPInstanceUID": sop_uid}
            assert store(archive.stow, make_instance(**uids)).status == 200
    backend.wait_until_searchable(study, 10)

    url = f"{archive.dicomweb}/studies/{study}"
    assert sorted(values(search(f"{url}/series"), SERIES_UID)) == sorted(series)
    for series_uid, sop_uids in zip(series, instances, strict=True):
        of_series = f"{url}/series/{series_uid}"
        assert sorted(values(get(f"{of_series}/metadata").json(), SOP_UID)) == sorted(sop_uids)
        assert sorted(values(search(f"{of_series}/instances"), SOP_UID)) == sorted(sop_uids)
        (hit,) = search(f"{archive.dicomweb}/series", SeriesInstanceUID=series_uid)
        assert values([hit], "00201209") == [len(sop_uids)]


def test_a_study_whose_uid_begins_with_anothers_is_a_study_of_its_own(archive, backend) -> None:
    root = fresh_uid()[:50]
    studies = [f"{root}.1", f"{root}.10"]
    for study in studies:
        assert store(archive.stow, make_instance(StudyInstanceUID=study, SOPInstanceUID=fresh_uid())).status == 200
    for study in studies:
        backend.wait_until_searchable(study, 1)
        assert values(get(f"{archive.dicomweb}/studies/{study}/metadata").json(), STUDY_UID) == [study]


# --- names --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Patients:
    """One study for each patient, all with an AccessionNumber that no other test uses."""

    accession_number: str
    studies: dict[str, str]  # by patient name


NAMES = {
    "O'Brien^Pat": "ISO_IR 192",
    "Robert'); DROP TABLE study;--": "ISO_IR 192",
    "100%^Sure": "ISO_IR 192",
    "100x^Sure": "ISO_IR 192",
    "Under_Score": "ISO_IR 192",
    "UnderXScore": "ISO_IR 192",
    "Yamada^Tarou=山田^太郎=やまだ^たろう": ["", "ISO 2022 IR 87"],
    "Hong^Gildong=洪^吉洞=홍^길동": ["", "ISO 2022 IR 149"],
    "Müller^Jörg": "ISO_IR 100",
}


@pytest.fixture(scope="module")
def patients(archive, backend) -> Patients:
    accession_number = fresh_uid()[-16:]
    studies = {name: fresh_uid() for name in NAMES}
    instances = [
        make_instance(
            PatientName=name,
            SpecificCharacterSet=NAMES[name],
            PatientID=name.partition("=")[0],
            AccessionNumber=accession_number,
            **fresh_uids(StudyInstanceUID=study),
        )
        for name, study in studies.items()
    ]
    assert store(archive.stow, *instances).status == 200
    for study in studies.values():
        backend.wait_until_searchable(study, 1)
    return Patients(accession_number, studies)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("O'Brien^Pat", ["O'Brien^Pat"]),
        ("o'brien*", ["O'Brien^Pat"]),
        ("*'*", ["O'Brien^Pat", "Robert'); DROP TABLE study;--"]),
        ("Robert'); DROP TABLE study;--", ["Robert'); DROP TABLE study;--"]),
        ("100%^Sure", ["100%^Sure"]),
        ("100%*", ["100%^Sure"]),
        ("100?^Sure", ["100%^Sure", "100x^Sure"]),
        ("%", []),
        ("Under_Score", ["Under_Score"]),
        ("Under_*", ["Under_Score"]),
        ("Under?Score", ["UnderXScore", "Under_Score"]),
        ("Yamada^Tarou", ["Yamada^Tarou=山田^太郎=やまだ^たろう"]),
        ("山田^太郎", ["Yamada^Tarou=山田^太郎=やまだ^たろう"]),
        ("やまだ*", ["Yamada^Tarou=山田^太郎=やまだ^たろう"]),
        ("山?^太郎", ["Yamada^Tarou=山田^太郎=やまだ^たろう"]),
        ("洪^吉洞", ["Hong^Gildong=洪^吉洞=홍^길동"]),
        ("홍*", ["Hong^Gildong=洪^吉洞=홍^길동"]),
        ("*길동", ["Hong^Gildong=洪^吉洞=홍^길동"]),
        ("müller^JÖRG", ["Müller^Jörg"]),
        ("muller*", ["Müller^Jörg"]),
        ("Smith*", []),
    ],
)
def test_names_are_found_by_what_the_query_says_and_by_nothing_else(archive, patients, query, found) -> None:
    hits = search(f"{archive.dicomweb}/studies", AccessionNumber=patients.accession_number, PatientName=query)
    assert sorted(values(hits, STUDY_UID)) == sorted(patients.studies[name] for name in found)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("100%^Sure", ["100%^Sure"]),
        ("100%*", ["100%^Sure"]),
        ("Under_*", ["Under_Score"]),
        ("under_*", []),
        ("*'*", ["O'Brien^Pat", "Robert'); DROP TABLE study;--"]),
    ],
)
def test_wildcards_of_other_text_are_the_standards_and_not_those_of_sql(archive, patients, query, found) -> None:
    hits = search(f"{archive.dicomweb}/studies", AccessionNumber=patients.accession_number, PatientID=query)
    assert sorted(values(hits, STUDY_UID)) == sorted(patients.studies[name] for name in found)


@pytest.mark.parametrize("name", NAMES)
def test_names_come_back_in_all_their_groups(archive, patients, name) -> None:
    groups = dict(zip(["Alphabetic", "Ideographic", "Phonetic"], name.split("="), strict=False))
    study = patients.studies[name]
    (hit,) = search(f"{archive.dicomweb}/studies", StudyInstanceUID=study)
    (metadata,) = get(f"{archive.dicomweb}/studies/{study}/metadata").json()
    assert hit[PATIENT_NAME]["Value"] == metadata[PATIENT_NAME]["Value"] == [groups]


# --- missing attributes -------------------------------------------------------------------------

MISSING = ["Modality", "PatientName", "SeriesNumber", "StudyDate", "PatientID", "InstanceNumber"]


@pytest.mark.parametrize("absent", [*([keyword] for keyword in MISSING), MISSING], ids=lambda absent: " ".join(absent))
def test_an_instance_without_the_attribute_is_stored_found_and_served(archive, backend, absent) -> None:
    study, series, sop = fresh_uid(), fresh_uid(), fresh_uid()
    uids = {"StudyInstanceUID": study, "SeriesInstanceUID": series, "SOPInstanceUID": sop}
    data = make_instance(**uids, **dict.fromkeys(absent))
    assert store(archive.stow, data).status == 200
    backend.wait_until_searchable(study, 1)

    (found,) = search(f"{archive.dicomweb}/studies", StudyInstanceUID=study)
    modalities = {"vr": "CS"} if "Modality" in absent else {"vr": "CS", "Value": ["CT"]}
    assert found["00080061"] == modalities
    # Required attributes are present, but empty (PS3.18 §10.6.3.3).
    if "PatientName" in absent:
        assert found[PATIENT_NAME] == {"vr": "PN"}
    if "StudyDate" in absent:
        assert found[STUDY_DATE] == {"vr": "DA"}
    (of_series,) = search(f"{archive.dicomweb}/studies/{study}/series")
    if "Modality" in absent:
        assert of_series[MODALITY] == {"vr": "CS"}
    if "SeriesNumber" in absent:
        assert of_series[SERIES_NUMBER] == {"vr": "IS"}
    instance = f"studies/{study}/series/{series}/instances/{sop}"
    (metadata,) = get(f"{archive.dicomweb}/{instance}/metadata").json()
    tags = {"Modality": MODALITY, "PatientName": PATIENT_NAME, "SeriesNumber": SERIES_NUMBER, "StudyDate": STUDY_DATE}
    assert not [keyword for keyword in absent if tags.get(keyword) in metadata]
    assert get(f"{archive.dicomweb}/{instance}/frames/1").part().body == bytes(range(32))
