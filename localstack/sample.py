"""A small artificial study, and its way into the archive: by STOW-RS, like a user's study."""

import hashlib
import io
import json
import urllib.error
import urllib.request

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from chalicelib.dicomweb.media_types import DICOM, DICOM_JSON
from chalicelib.dicomweb.multipart import multipart_body
from localstack.errors import HarnessError
from localstack.waiting import wait_until

SLICES = 5
_SIZE = 256
_SEARCHABLE_SECONDS = 120.0


def _uid(name: str) -> str:
    """Return a UID derived from a name: stored again, the sample is the same study (PS3.5 §B.2)."""
    return f"2.25.{int.from_bytes(hashlib.sha256(name.encode()).digest()[:15], 'big')}"


STUDY_INSTANCE_UID = _uid("static-dicomweb-archive sample study")


def _pixels(slice_number: int) -> bytes:
    """Return a body in air with two rods, one of which moves from slice to slice; in Hounsfield units."""
    y, x = np.mgrid[0:_SIZE, 0:_SIZE]
    image = np.full((_SIZE, _SIZE), -1000, dtype=np.int16)
    body = ((x - 128) / 100) ** 2 + ((y - 128) / 80) ** 2 < 1
    image[body] = (x[body] - 128) // 2
    image[(x - 90) ** 2 + (y - 128) ** 2 < 20**2] = 400
    image[(x - 150 - 8 * slice_number) ** 2 + (y - 128) ** 2 < 14**2] = -700
    return image.astype("<i2").tobytes()


def sample_instance(instance_number: int) -> bytes:
    """Return one slice of the sample as a Part 10 file; `instance_number` begins with 1."""
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = _uid(f"static-dicomweb-archive sample instance {instance_number}")
    dataset.StudyInstanceUID = STUDY_INSTANCE_UID
    dataset.SeriesInstanceUID = _uid("static-dicomweb-archive sample series")
    dataset.FrameOfReferenceUID = _uid("static-dicomweb-archive sample frame of reference")
    dataset.PatientName = "Sample^Phantom"
    dataset.PatientID = "SAMPLE"
    dataset.PatientBirthDate = "20000101"
    dataset.PatientSex = "O"
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = "20240102"
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = "120000"
    dataset.AccessionNumber = "SAMPLE1"
    dataset.StudyID = "1"
    dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = "Sample study"
    dataset.SeriesDescription = "Phantom"
    dataset.Modality = "CT"
    dataset.Manufacturer = "static-dicomweb-archive"
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = instance_number
    dataset.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    dataset.ImagePositionPatient = [-128, -128, 5 * (instance_number - 1)]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [1, 1]
    dataset.SliceThickness = 5
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows = dataset.Columns = _SIZE
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 1
    dataset.RescaleIntercept = 0
    dataset.RescaleSlope = 1
    dataset.WindowCenter = 40
    dataset.WindowWidth = 1200
    dataset.PixelData = _pixels(instance_number)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def store_sample(stow_url: str) -> None:
    """Store the sample study.

    Raises
    ------
    HarnessError
        The archive does not answer, or refuses the study.
    """
    instances = [sample_instance(number) for number in range(1, SLICES + 1)]
    content_type, body = multipart_body(DICOM, instances, seed=hashlib.sha256(b"".join(instances)).hexdigest())
    request = urllib.request.Request(  # noqa: S310 - the harness's own URL
        stow_url,
        data=body,
        headers={"Content-Type": content_type, "Accept": DICOM_JSON},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            status, answer = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, answer = error.code, error.read()
    except OSError as error:
        raise HarnessError(f"POST {stow_url}: {error}") from error
    if status != 200:
        raise HarnessError(f"POST {stow_url} answered {status}: {answer[:500].decode(errors='replace')}")


def wait_until_searchable(dicomweb_root: str) -> None:
    """Wait until a search finds all instances of the sample.

    Raises
    ------
    HarnessError
        No search finds all of them within two minutes.
    """
    url = f"{dicomweb_root}/studies?StudyInstanceUID={STUDY_INSTANCE_UID}"
    wait_until(
        lambda: related_instances(url) == SLICES,
        f"{url} finds the {SLICES} instances of the sample study",
        _SEARCHABLE_SECONDS,
    )


def related_instances(url: str) -> int:
    """Return Number of Study Related Instances (0020,1208) of the first study that a search finds, or 0."""
    request = urllib.request.Request(url, headers={"Accept": "application/dicom+json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            body = response.read()
    except OSError:
        return 0
    studies = json.loads(body) if body else []
    return int(studies[0]["00201208"]["Value"][0]) if studies else 0
