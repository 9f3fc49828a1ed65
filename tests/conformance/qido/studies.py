"""The studies that the tests of search find, and the attributes that an answer shows of each level."""

from chalicelib.dicomweb.attributes import DicomJson
from tests.support.qido_builders import make_publication, make_series


def requested(step: str, procedure: str) -> DicomJson:
    """An item of RequestAttributesSequence."""
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
                SeriesDate="20240430",
                SeriesTime="101400",
                PerformedProcedureStepStartDate="20240430",
                PerformedProcedureStepStartTime="101500",
                RequestAttributesSequence=[requested("SPS1", "RP1"), requested("SPS2", "RP2")],
            ),
            make_series(
                "1.1.10",
                {"1.1.10.1": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4"}},
                Modality="SEG",
                SeriesNumber=10,
            ),
        ],
        PatientName="Müller^Jürgen",
        PatientID="P1",
        IssuerOfPatientID="Hospital A",
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

# Every searchable attribute: its keyword or path, a value, and what that finds at the attribute's own level.
FOUND_BY = [
    ("StudyDate", "20240430", ["1.1"]),
    ("StudyTime", "2300", ["1.2"]),
    ("AccessionNumber", "A2", ["1.2"]),
    ("ModalitiesInStudy", "MR", ["1.2"]),
    ("ReferringPhysicianName", "o'brien*", ["1.1"]),
    ("StudyDescription", "Knie links", ["1.3"]),
    ("PatientName", "yamada*", ["1.3"]),
    ("PatientID", "P1", ["1.1"]),
    ("IssuerOfPatientID", "Hospital A", ["1.1"]),
    ("PatientBirthDate", "19700101", ["1.1"]),
    ("PatientSex", "F", ["1.2"]),
    ("StudyInstanceUID", "1.4", ["1.4"]),
    ("StudyID", "S1", ["1.1"]),
    ("SeriesDate", "20240430", ["1.1.1"]),
    ("SeriesTime", "1014", ["1.1.1"]),
    ("Modality", "US", ["1.5.1", "1.6.1"]),
    ("SeriesDescription", "Thorax 5mm", ["1.1.1"]),
    ("SeriesInstanceUID", "1.3.2", ["1.3.2"]),
    ("SeriesNumber", "10", ["1.1.10"]),
    ("PerformedProcedureStepStartDate", "20240430", ["1.1.1"]),
    ("PerformedProcedureStepStartTime", "1015", ["1.1.1"]),
    ("RequestAttributesSequence.ScheduledProcedureStepID", "SPS3", ["1.2.1"]),
    ("RequestAttributesSequence.RequestedProcedureID", "RP2", ["1.1.1"]),
    ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.66.4", ["1.1.10.1"]),
    ("SOPInstanceUID", "1.1.1.2", ["1.1.1.2"]),
    ("InstanceNumber", "2", ["1.1.1.2"]),
]

STUDY_TAGS = [
    "00080005", "00080020", "00080030", "00080050", "00080056", "00080061", "00080090", "00081030", "00081190",
    "00100010", "00100020", "00100030", "00100040", "0020000D", "00200010", "00201206", "00201208",
]  # fmt: skip
SERIES_TAGS = [
    "00080005", "00080056", "00080060", "0008103E", "00081190", "0020000D", "0020000E", "00200011", "00201209",
    "00400244", "00400245", "00400275",
]  # fmt: skip
