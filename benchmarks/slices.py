"""Realistic CT slices for benchmarks: an anatomy-like phantom with noise, so that it compresses like one."""

import random
from array import array

from pydicom.uid import generate_uid

from tests.support.builders import make_instance


def make_slice(study_instance_uid: str, series_instance_uid: str, number: int, *, size: int = 512) -> bytes:
    """Return a 16-bit CT slice of `size` by `size` pixels as a Part 10 file; `number` begins with 1."""
    return make_instance(
        ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
        SOPInstanceUID=f"{series_instance_uid}.{number}",
        StudyInstanceUID=study_instance_uid,
        SeriesInstanceUID=series_instance_uid,
        StudyID=None,
        StudyDate="20240301",
        SeriesDate="20240301",
        StudyTime="101500",
        SeriesTime="101500",
        AccessionNumber="BENCHMARK",
        Manufacturer="Phantom",
        StudyDescription="Benchmark",
        SeriesDescription="Axial",
        PatientName="Bench^Mark",
        PatientID="BENCHMARK",
        PatientBirthDate="19700101",
        PatientSex="O",
        SliceThickness=1,
        KVP=120,
        PatientPosition="HFS",
        InstanceNumber=number,
        ImagePositionPatient=[-250, -250, float(number)],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        FrameOfReferenceUID=f"{study_instance_uid}.9",
        Rows=size,
        Columns=size,
        PixelSpacing=[0.7, 0.7],
        BitsStored=12,
        HighBit=11,
        WindowCenter=1040,
        WindowWidth=400,
        RescaleIntercept=-1024,
        RescaleSlope=1,
        PixelData=_pixels(size, number),
    )


def new_study_uid() -> str:
    """Return a UID that no earlier run has used; UIDs of series and instances can be formed by appending to it."""
    return generate_uid(entropy_srcs=None)[:40].rstrip(".")


def _pixels(size: int, seed: int) -> bytes:
    """Return air around a body of soft tissue, with noise of about 20 Hounsfield units in the body."""
    noise = random.Random(seed)
    band = [int(noise.gauss(0, 20)) for _ in range(4 * size)]
    pixels = array("H", bytes(2 * size * size))
    centre = size // 2
    for row in range(size):
        half = int((max(0, 1 - ((row - centre) / (0.35 * size)) ** 2) ** 0.5) * 0.42 * size)
        offset = noise.randrange(2 * size)
        for column in range(centre - half, centre + half):
            pixels[row * size + column] = 1064 + band[offset + column]
    return pixels.tobytes()
