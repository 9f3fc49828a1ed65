"""The viewer in a real browser lists a newly stored study and draws its images."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from localstack.parts.urls import Urls
from localstack.waiting import wait_until
from tests.e2e.support.clients import search, store
from tests.e2e.support.sources import fresh_uid
from tests.e2e.support.viewer import Viewer, running_chromium
from tests.support.builders import make_dataset

SIZE = 128
SLICES = 3


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


def picture() -> NDArray[np.uint8]:
    """Return a black picture with a white lower right quarter: every mirrored or rotated copy differs from it."""
    pixels = np.zeros((SIZE, SIZE), np.uint8)
    pixels[SIZE // 2 :, SIZE // 2 :] = 255
    return pixels


def make_slice(transfer_syntax_uid: UID, number: int, shared: dict[str, str]) -> bytes:
    """Return one slice of a CT whose pixels are `picture`."""
    dataset = make_dataset(
        SOPInstanceUID=fresh_uid(),
        InstanceNumber=number,
        Rows=SIZE,
        Columns=SIZE,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        WindowCenter=128,
        WindowWidth=256,
        RescaleSlope=1,
        RescaleIntercept=0,
        PixelSpacing=[1, 1],
        SliceThickness=1,
        FrameOfReferenceUID=shared["SeriesInstanceUID"] + ".1",
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        ImagePositionPatient=[0, 0, number],
        PixelData=picture().tobytes(),
        **shared,
    )
    dataset["PixelData"].VR = "OB"
    COMPRESSORS[transfer_syntax_uid](dataset)
    file = BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def uncompressed(dataset: Dataset) -> None:
    dataset.ensure_file_meta()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


def run_length(dataset: Dataset) -> None:
    uncompressed(dataset)
    dataset.compress(RLELossless, generate_instance_uid=False)


def by_pillow(transfer_syntax_uid: UID, **options: Any) -> Callable[[Dataset], None]:
    def compress(dataset: Dataset) -> None:
        file = BytesIO()
        Image.fromarray(picture()).save(file, **options)
        dataset.PixelData = encapsulate([file.getvalue()])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
        dataset.ensure_file_meta()
        dataset.file_meta.TransferSyntaxUID = transfer_syntax_uid

    return compress


COMPRESSORS: dict[UID, Callable[[Dataset], None]] = {
    ExplicitVRLittleEndian: uncompressed,
    RLELossless: run_length,
    JPEGBaseline8Bit: by_pillow(JPEGBaseline8Bit, format="JPEG", quality=95),
    JPEG2000Lossless: by_pillow(JPEG2000Lossless, format="JPEG2000", no_jp2=True, irreversible=False),
}


@pytest.mark.parametrize("transfer_syntax_uid", COMPRESSORS, ids=lambda uid: uid.name)
def test_viewer_lists_a_stored_study_and_draws_its_image(
    archive: Urls, chromium: Browser, tmp_path: Path, transfer_syntax_uid: UID
) -> None:
    study_instance_uid = fresh_uid()
    patient_name = f"BROWSER{study_instance_uid[-10:]}"
    shared = {
        "StudyInstanceUID": study_instance_uid,
        "SeriesInstanceUID": fresh_uid(),
        "PatientName": patient_name,
        "PatientID": patient_name,
    }
    instances = [make_slice(transfer_syntax_uid, number, shared) for number in range(1, SLICES + 1)]
    assert store(archive.stow, *instances).status == 200
    wait_until(
        lambda: (
            [
                hit["00201208"]["Value"] == [SLICES]
                for hit in search(f"{archive.dicomweb}/studies", StudyInstanceUID=study_instance_uid)
            ]
            == [True]
        ),
        "the study is found with all its instances",
    )

    with chromium.new_context(viewport={"width": 1280, "height": 800}) as context:
        viewer = Viewer(context.new_page(), archive.viewer)
        viewer.list_studies(patient_name)
        viewer.open_study(study_instance_uid)
        drawn = viewer.drawn_image()
        viewer.page.screenshot(path=tmp_path / "viewer.png")
        # OHIF loads the other slices after the first one.
        frames = {request.url for request in viewer.requests if "/frames/" in request.url}

    drawn.save(tmp_path / "canvas.png")
    assert viewer.faults == []
    assert frames
    assert quarters(drawn) == [0, 0, 0, 255]


def quarters(drawn: Image.Image) -> list[int]:
    """Return the grey level in the middle of each quarter of the image, which fills the height of the viewport."""
    levels = np.asarray(drawn)
    row, column = levels.shape[0] // 2, levels.shape[1] // 2
    distance = min(row, column) // 4
    return [
        int(levels[row + down, column + right]) for down in (-distance, distance) for right in (-distance, distance)
    ]
