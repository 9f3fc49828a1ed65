"""Realistic CT slices for benchmarks: an anatomy-like phantom with noise, so that it compresses like one."""

import random
from array import array
from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid


def make_slice(study_instance_uid: str, series_instance_uid: str, number: int, *, size: int = 512) -> bytes:
    """One 16-bit CT slice of `size` by `size` pixels as a Part 10 file."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = f"{series_instance_uid}.{number}"
    dataset.StudyInstanceUID = study_instance_uid
    dataset.SeriesInstanceUID = series_instance_uid
    dataset.StudyDate = dataset.SeriesDate = "20240301"
    dataset.StudyTime = dataset.SeriesTime = "101500"
    dataset.AccessionNumber = "BENCHMARK"
    dataset.Modality = "CT"
    dataset.Manufacturer = "Phantom"
    dataset.StudyDescription = "Benchmark"
    dataset.SeriesDescription = "Axial"
    dataset.PatientName = "Bench^Mark"
    dataset.PatientID = "BENCHMARK"
    dataset.PatientBirthDate = "19700101"
    dataset.PatientSex = "O"
    dataset.SliceThickness = 1
    dataset.KVP = 120
    dataset.PatientPosition = "HFS"
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = number
    dataset.ImagePositionPatient = [-250, -250, float(number)]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.FrameOfReferenceUID = f"{study_instance_uid}.9"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows = dataset.Columns = size
    dataset.PixelSpacing = [0.7, 0.7]
    dataset.BitsAllocated = 16
    dataset.BitsStored = 12
    dataset.HighBit = 11
    dataset.PixelRepresentation = 0
    dataset.WindowCenter = 1040
    dataset.WindowWidth = 400
    dataset.RescaleIntercept = -1024
    dataset.RescaleSlope = 1
    dataset.PixelData = _pixels(size, number)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def new_study_uid() -> str:
    """A UID that no earlier run has used; short enough for series and instances below it."""
    return generate_uid(entropy_srcs=None)[:40].rstrip(".")


def _pixels(size: int, seed: int) -> bytes:
    """Air around a body of soft tissue, with noise of some 20 Hounsfield units in the body."""
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
