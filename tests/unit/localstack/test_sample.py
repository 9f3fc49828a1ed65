import io

import numpy as np
from pydicom import dcmread

from localstack.sample import SLICES, STUDY_INSTANCE_UID, sample_instance


def test_the_sample_is_one_ct_series_of_a_made_up_patient():
    datasets = [dcmread(io.BytesIO(sample_instance(number))) for number in range(1, SLICES + 1)]

    assert {dataset.StudyInstanceUID for dataset in datasets} == {STUDY_INSTANCE_UID}
    assert len({dataset.SeriesInstanceUID for dataset in datasets}) == 1
    assert len({dataset.SOPInstanceUID for dataset in datasets}) == SLICES
    assert {str(dataset.PatientName) for dataset in datasets} == {"Sample^Phantom"}
    assert [dataset.ImagePositionPatient[2] for dataset in datasets] == [0, 5, 10, 15, 20]


def test_the_sample_shows_something_in_its_window():
    dataset = dcmread(io.BytesIO(sample_instance(1)))

    pixels = dataset.pixel_array

    assert pixels.shape == (256, 256)
    assert np.unique(pixels).size > 50
    assert (pixels.min(), pixels.max()) == (-1000, 400)


def test_making_the_sample_again_makes_the_same_bytes():
    assert sample_instance(2) == sample_instance(2)
