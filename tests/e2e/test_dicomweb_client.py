"""The Python library dicomweb-client, as its users call it, with the DICOMweb root as its only URL."""

from io import BytesIO

import pytest
from dicomweb_client import DICOMwebClient
from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.e2e.support.sources import fresh_uid, fresh_uids
from tests.support.builders import make_instance

pytestmark = pytest.mark.every_deployment


@pytest.fixture
def client(archive) -> DICOMwebClient:
    return DICOMwebClient(archive.dicomweb)


def read_own_dataset(study: str) -> Dataset:
    """Return a data set of two frames that was read from a file, as a user's is."""
    data = make_instance(
        **fresh_uids(StudyInstanceUID=study),
        Rows=2,
        NumberOfFrames=2,
        PatientName="Client^Dicomweb",
    )
    return dcmread(BytesIO(data))


def test_what_the_client_stores_it_finds_and_retrieves(client, backend) -> None:
    study = fresh_uid()
    datasets = [read_own_dataset(study) for _ in range(3)]
    response = client.store_instances(datasets)
    assert len(response.ReferencedSOPSequence) == 3
    assert "FailedSOPSequence" not in response
    backend.wait_until_searchable(study, 3)

    (found,) = client.search_for_studies(search_filters={"StudyInstanceUID": study, "PatientName": "client*"})
    assert found["0020000D"]["Value"] == [study]
    assert len(client.search_for_series(study)) == 3
    instances = client.search_for_instances(study, fields=["Rows"])
    assert {hit["00080018"]["Value"][0] for hit in instances} == {str(dataset.SOPInstanceUID) for dataset in datasets}
    assert len(client.retrieve_study_metadata(study)) == 3

    for dataset in datasets:
        uids = (study, dataset.SeriesInstanceUID, dataset.SOPInstanceUID)
        (metadata,) = client.retrieve_series_metadata(*uids[:2])
        assert metadata == client.retrieve_instance_metadata(*uids)
        assert client.retrieve_instance_frames(*uids, frame_numbers=[1, 2]) == [bytes(range(16)), bytes(range(16, 32))]
        assert client.retrieve_instance(*uids) == dataset
        uri = metadata["7FE00010"]["BulkDataURI"]
        assert list(client.retrieve_bulkdata(uri)) == [bytes(range(16)), bytes(range(16, 32))]
