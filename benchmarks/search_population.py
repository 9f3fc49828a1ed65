"""Studies of an imaginary hospital as DICOM JSON documents; a small population is the beginning of any larger one.

Names follow Zipf's law as real ones do, with a few hundred common and tens of thousands of rare words, in several
scripts. Patients have several studies; the dates spread over 15 years.
"""

# ruff: noqa: SIM905, RUF001 - lists of words read better as texts, and names come in many scripts

import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from typing import Any

from chalicelib.dicomweb.attributes import BY_KEYWORD, DicomJson

CHUNK = 5000  # studies that are generated together, from a random seed of their own
_FIRST_DAY = date(2010, 1, 1)
_DAYS = 15 * 365

_COMMON = (
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson "
    "Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson "
    "Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell "
    "Mitchell Carter Roberts Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Jørgensen "
    "Åberg Łukasz O'Brien MacDonald Van_der_Berg De_Souza García-Márquez Šimić Dvořák Nagy Popescu Öztürk Yılmaz Hansen"
).split()
_GIVEN = (
    "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph "
    "Jessica Thomas Sarah Charles Karen Anna Maria José Jean-Pierre Zoë Björn Ana Carlos Ingrid Fatima Omar Mohammed "
    "Ahmed Aisha Olga Ivan Dmitri Elena Giulia Marco Luca Sofia Hans Uwe Anke Jürgen Renée François Siobhán Wei Li Mei"
).split()
_CYRILLIC = ("Иванов Смирнов Кузнецов Попов Соколов Лебедев Козлов Новиков".split(), "Иван Ольга Пётр Анна".split())
_GREEK = ("Παπαδόπουλος Γεωργίου Δημητρίου Νικολάου".split(), "Μαρία Γιώργος Ελένη Κώστας".split())
_ARABIC = ("العلي الحسن محمود إبراهيم".split(), "محمد فاطمة أحمد عائشة".split())
_EAST_ASIAN = {
    "japanese": (
        [
            ("Yamada", "山田", "やまだ"),
            ("Satō", "佐藤", "さとう"),
            ("Suzuki", "鈴木", "すずき"),
            ("Tanaka", "田中", "たなか"),
        ],
        [
            ("Tarō", "太郎", "たろう"),
            ("Hanako", "花子", "はなこ"),
            ("Kenji", "健二", "けんじ"),
            ("Yumi", "由美", "ゆみ"),
        ],
    ),
    "korean": (
        [("Hong", "洪", "홍"), ("Kim", "金", "김"), ("Park", "朴", "박")],
        [("Gildong", "吉洞", "길동"), ("Minjun", "敏俊", "민준"), ("Seoyeon", "瑞姸", "서연")],
    ),
    "chinese": (
        [("Wang", "王", ""), ("Zhang", "张", ""), ("Chen", "陈", ""), ("Liu", "刘", "")],
        [("XiaoDong", "小东", ""), ("Wei", "伟", ""), ("Fang", "芳", ""), ("Min", "敏", "")],
    ),
}
_SCRIPTS = (("latin", 82), ("cyrillic", 4), ("greek", 2), ("arabic", 3), ("japanese", 4), ("korean", 2), ("chinese", 3))

# Modality: weight, series per study (at most), instances per series (at most), SOP class.
_MODALITIES = {
    "CR": (20, 3, 2, "1.2.840.10008.5.1.4.1.1.1"),
    "DX": (22, 3, 3, "1.2.840.10008.5.1.4.1.1.1.1"),
    "CT": (24, 7, 20, "1.2.840.10008.5.1.4.1.1.2"),
    "MR": (14, 9, 14, "1.2.840.10008.5.1.4.1.1.4"),
    "US": (10, 4, 14, "1.2.840.10008.5.1.4.1.1.6.1"),
    "MG": (5, 4, 2, "1.2.840.10008.5.1.4.1.1.1.2"),
    "XA": (2.5, 6, 12, "1.2.840.10008.5.1.4.1.1.12.1"),
    "PT": (1.5, 4, 20, "1.2.840.10008.5.1.4.1.1.128"),
    "NM": (0.95, 4, 3, "1.2.840.10008.5.1.4.1.1.20"),
    "OPT": (0.05, 3, 3, "1.2.840.10008.5.1.4.1.1.77.1.5.4"),
}
_PARTS = "Head Neck Chest Abdomen Pelvis Spine Knee Shoulder Hand Foot Hip Ankle Wrist Breast Heart Liver".split()
_KINDS = "routine|with contrast|w/o contrast|2 views|follow-up|low dose|portable|screening|biopsy|angiography".split(
    "|"
)
_SERIES_KINDS = "Localizer|AX T1|AX T2|SAG T2 FS|COR|Thin 1.0 B60f|MPR|Dose Report|DWI|PA|LAT|Scout".split("|")
_CONSONANTS = "b br ch d dr f g gr h j k kl l m n p pr r s sch st t tr v w z".split()
_VOWELS = "a e i o u ai ei ia ou".split()
_ENDINGS = "n r s l ck tz mann son ski ov ez ini berg er man ".split(" ")


@dataclass(frozen=True, slots=True)
class MadeSeries:
    """Document of a series, and its instances, which differ in UID and number only."""

    document: DicomJson
    instance: DicomJson
    sop_instance_uids: list[str]


@dataclass(frozen=True, slots=True)
class MadeStudy:
    """One study; `number` counts from 0."""

    number: int
    document: DicomJson
    series: list[MadeSeries]


def make_studies(chunk: int, count: int = CHUNK) -> Iterator[MadeStudy]:
    """Yield the studies whose numbers begin with ``chunk * CHUNK``."""
    chance = random.Random(f"hospital {chunk}")
    for number in range(chunk * CHUNK, chunk * CHUNK + count):
        yield _make_study(chance, number)


def accession_number(number: int) -> str:
    """Return the AccessionNumber of a study."""
    return f"A{(number * 7919) % 100_000_000:08}"


def study_instance_uid(number: int) -> str:
    """Return the StudyInstanceUID of a study, as long as those of vendors, and in no order."""
    return f"1.2.840.113619.2.55.{number * 2_654_435_761 % 2**32}.{number}.1"


def _make_study(chance: random.Random, number: int) -> MadeStudy:
    # Three studies per patient on average: some studies belong to patients of earlier ones.
    patient = random.Random(f"patient {int(number / 3 * chance.random() + number / 6 * chance.random())}")
    patient_id = f"{patient.choice(('', '', 'PID', 'H'))}{patient.randrange(10**8):08}"
    day = _FIRST_DAY + timedelta(days=int(_DAYS * chance.random() ** 0.8))
    modality = chance.choices(list(_MODALITIES), _MODALITY_WEIGHTS)[0]
    uid = study_instance_uid(number)
    body_part = chance.choice(_PARTS)
    _, max_series, max_instances, sop_class = _MODALITIES[modality]
    moment = f"{int(chance.triangular(0, 24, 11)) % 24:02}{chance.randrange(60):02}{chance.randrange(60):02}"
    series = [
        _make_series(chance, f"{uid}.{index}", uid, index, modality, day, moment, sop_class, max_instances)
        for index in range(1, 1 + chance.randint(1, max_series))
    ]
    document = _document(
        StudyInstanceUID=uid,
        StudyDate=f"{day:%Y%m%d}" if chance.random() > 0.002 else None,
        StudyTime=moment if chance.random() > 0.01 else None,
        AccessionNumber=accession_number(number) if chance.random() > 0.05 else None,
        StudyDescription=f"{modality} {body_part} {chance.choice(_KINDS)}" if chance.random() > 0.05 else None,
        ReferringPhysicianName=_name(random.Random(f"physician {int(chance.paretovariate(1)) % 4000}")),
        PatientName=_name(patient),
        PatientID=patient_id,
        PatientBirthDate=f"{date(1925, 1, 1) + timedelta(days=patient.randrange(95 * 365)):%Y%m%d}",
        PatientSex=patient.choices(("F", "M", "O"), (50, 49, 1))[0],
        StudyID=str(chance.randrange(1, 10**6)),
    )
    return MadeStudy(number, document, series)


def _make_series(
    chance: random.Random,
    uid: str,
    study_uid: str,
    index: int,
    modality: str,
    day: date,
    moment: str,
    sop_class: str,
    max_instances: int,
) -> MadeSeries:
    modality = "SR" if index > 2 and chance.random() < 0.15 else modality
    items = []
    if chance.random() < 0.3:
        step = f"SPS{chance.randrange(10**7)}"
        items = [_document(ScheduledProcedureStepID=step, RequestedProcedureID=f"RP{chance.randrange(10**7)}")]
    document = _document(
        StudyInstanceUID=study_uid,
        SeriesInstanceUID=uid,
        Modality=modality,
        SeriesDescription=chance.choice(_SERIES_KINDS),
        SeriesNumber=index,
        SeriesDate=f"{day:%Y%m%d}",
        SeriesTime=moment,
        PerformedProcedureStepStartDate=f"{day:%Y%m%d}",
        PerformedProcedureStepStartTime=moment,
    )
    if items:
        document["00400275"] = {"vr": "SQ", "Value": items}
    instance = _document(StudyInstanceUID=study_uid, SeriesInstanceUID=uid, SOPInstanceUID=uid, SOPClassUID=sop_class)
    count = 1 if modality == "SR" else chance.randint(1, max_instances)
    return MadeSeries(document, instance, [f"{uid}.{number}" for number in range(1, count + 1)])


def _name(chance: random.Random) -> dict[str, str]:
    script = chance.choices([name for name, _ in _SCRIPTS], [weight for _, weight in _SCRIPTS])[0]
    if script in _EAST_ASIAN:
        families, givens = _EAST_ASIAN[script]
        groups = zip(chance.choice(families), chance.choice(givens), strict=True)
        joined = [f"{family}^{given}".strip("^") for family, given in groups]
        return {
            name: group for name, group in zip(("Alphabetic", "Ideographic", "Phonetic"), joined, strict=True) if group
        }
    if script in _OTHER:
        family_names, given_names = _OTHER[script]
        return {"Alphabetic": f"{chance.choice(family_names)}^{chance.choice(given_names)}"}
    family, given = _word(chance, _families(), _FAMILY_WEIGHTS), _word(chance, _givens(), _GIVEN_WEIGHTS)
    middle = f"^{chance.choice('ABCDEFGHJKLMNPRSTW')}" if chance.random() < 0.3 else ""
    text = f"{family}^{given}{middle}".replace("_", " ")
    return {"Alphabetic": text.upper() if chance.random() < 0.6 else text}


_OTHER = {"cyrillic": _CYRILLIC, "greek": _GREEK, "arabic": _ARABIC}
_MODALITY_WEIGHTS = [weight for weight, *_ in _MODALITIES.values()]
# Zipf with a flattened head: the commonest family name has about one in a hundred patients.
_FAMILY_WEIGHTS = list(accumulate(1 / (rank + 12) for rank in range(60_000)))
_GIVEN_WEIGHTS = list(accumulate(1 / (rank + 6) for rank in range(8_000)))


def _word(chance: random.Random, words: list[str], cumulated: list[float]) -> str:
    return words[bisect(cumulated, chance.random() * cumulated[-1])]


@cache
def _families() -> list[str]:
    return _COMMON + _invented("families", 60_000 - len(_COMMON), 3)


@cache
def _givens() -> list[str]:
    return _GIVEN + _invented("givens", 8_000 - len(_GIVEN), 2)


def _invented(seed: str, count: int, max_syllables: int) -> list[str]:
    chance = random.Random(seed)
    words: dict[str, None] = {}
    while len(words) < count:
        syllables = [
            chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(chance.randint(1, max_syllables))
        ]
        words.setdefault(("".join(syllables) + chance.choice(_ENDINGS)).capitalize())
    return list(words)


def _document(**attributes: Any) -> DicomJson:
    made: DicomJson = {}
    for keyword, value in attributes.items():
        attribute = BY_KEYWORD[keyword]
        if value is not None:
            made[attribute.tag] = {"vr": attribute.vr, "Value": [value]}
    return made
