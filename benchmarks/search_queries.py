"""The searches that are measured: those that OHIF sends, and difficult ones."""

import random

from benchmarks.search_population import CHUNK, make_studies
from chalicelib.dicomweb.attributes import Level

_OHIF = [("limit", "101"), ("offset", "0"), ("fuzzymatching", "false")]
_OHIF_FIELDS = [("includefield", "00081030,00080060")]


def searches(studies: int) -> dict[str, tuple[Level, list[tuple[str, str]], dict[str, str]]]:
    """Return level, parameters and path of each search by its name, for a database with this number of studies."""
    chance = random.Random(studies)
    chunk = studies // CHUNK - 1
    made = [study for study in make_studies(chunk) if "00080050" in study.document and study.series]
    study = chance.choice(made)

    def value(tag: str) -> str:
        return str(study.document[tag]["Value"][0])

    series = study.series[0].document["0020000E"]["Value"][0]
    uid = value("0020000D")
    page = _OHIF
    series_path = {"study_instance_uid": uid, "series_instance_uid": series}
    return {
        "list page of OHIF": (Level.STUDY, page + _OHIF_FIELDS, {}),
        "PatientID": (Level.STUDY, [("PatientID", value("00100020")), *page], {}),
        "PatientName=`*mit*`": (Level.STUDY, [("PatientName", "*mit*"), *page], {}),
        "PatientName=`*schlou*` (rare)": (Level.STUDY, [("PatientName", "*schlou*"), *page], {}),
        "PatientName=`*smith^jo*`": (Level.STUDY, [("PatientName", "*smith^jo*"), *page], {}),
        "PatientName=`Garcia*`": (Level.STUDY, [("PatientName", "Garcia*"), *page], {}),
        "PatientName=`Ma*`": (Level.STUDY, [("PatientName", "Ma*"), *page], {}),
        "StudyDate of a year, CT": (
            Level.STUDY,
            [("StudyDate", "20180101-20181231"), ("ModalitiesInStudy", "CT"), *page],
            {},
        ),
        "StudyDate of a year, OPT (rare)": (
            Level.STUDY,
            [("StudyDate", "20180101-20181231"), ("ModalitiesInStudy", "OPT"), *page],
            {},
        ),
        "AccessionNumber": (Level.STUDY, [("AccessionNumber", value("00080050")), *page], {}),
        "StudyInstanceUID": (Level.STUDY, [("StudyInstanceUID", uid), *page], {}),
        "offset at 90 %": (Level.STUDY, [("limit", "101"), ("offset", str(studies * 9 // 10))], {}),
        "series of a study": (Level.SERIES, [], {"study_instance_uid": uid}),
        "instances of a series": (Level.INSTANCE, [], series_path),
        "PatientID without a hit": (Level.STUDY, [("PatientID", "NOBODY"), *page], {}),
        "PatientName=`*zzzq*` without a hit": (Level.STUDY, [("PatientName", "*zzzq*"), *page], {}),
        "PatientName=`*a*`": (Level.STUDY, [("PatientName", "*a*"), *page], {}),
        "PatientName=`*a*`, 1000 a page": (Level.STUDY, [("PatientName", "*a*")], {}),
        "fuzzy PatientName=`john smi`": (Level.STUDY, [("PatientName", "john smi"), ("fuzzymatching", "true")], {}),
        "ReferringPhysicianName=`*mit*`": (Level.STUDY, [("ReferringPhysicianName", "*mit*"), *page], {}),
        "PatientID=`*4711*`": (Level.STUDY, [("PatientID", "*4711*"), *page], {}),
        "PatientID=`*471147*` (rare)": (Level.STUDY, [("PatientID", "*471147*"), *page], {}),
        "AccessionNumber=`*4711*`": (Level.STUDY, [("AccessionNumber", "*4711*"), *page], {}),
        "AccessionNumber=`*47114*` (rare)": (Level.STUDY, [("AccessionNumber", "*47114*"), *page], {}),
        "PatientID=`*7*`": (Level.STUDY, [("PatientID", "*7*"), *page], {}),
        "StudyDescription=`*Knee*`": (Level.STUDY, [("StudyDescription", "*Knee*"), *page], {}),
        "StudyDescription=`*zzzq*` without a hit": (Level.STUDY, [("StudyDescription", "*zzzq*"), *page], {}),
    }
