"""The store service on a real socket, with fakes behind it, and requests as real clients shape them."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from io import BytesIO
from typing import Any

from aiohttp import web
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

from chalicelib.adapters.memory.landing import MemoryLanding
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import ServiceFaultError
from chalicelib.services.store_instances import StoreInstances, StoreLimits
from stow_nlb.service import ServiceOptions, create_app
from tests.support.settings import store_limits

ROOT = "https://archive.example/dicomweb"
CT = "1.2.840.10008.5.1.4.1.1.2"
JSON_TYPE = "application/dicom+json"
MULTIPART = 'multipart/related; type="application/dicom"; boundary=myboundary'


def instance_bytes(
    study: str = "1.2.3", series: str = "1.2.3.4", sop: str = "1.2.3.4.5", *, pixels: bytes = b"\0" * 512
) -> bytes:
    """A CT image as a Part 10 file."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT, sop
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
    dataset.PatientName = "Doe^Jane"
    dataset.Modality = "CT"
    dataset.Rows, dataset.Columns = 16, min(len(pixels) // 32, 65_535)
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 15, 0, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.add_new(0x7FE00010, "OW", pixels)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = UID(CT)
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(sop)
    file = BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def multipart(*payloads: bytes, boundary: bytes = b"myboundary", part_type: bytes = b"application/dicom") -> bytes:
    """A body as dcm4che's stowrs sends it: a line break before the first delimiter, one header for each part."""
    parts = [b"\r\n--" + boundary + b"\r\nContent-Type: " + part_type + b"\r\n\r\n" + payload for payload in payloads]
    return b"".join(parts) + b"\r\n--" + boundary + b"--"


@dataclass
class Records:
    """The one method of RecordStore that storing uses."""

    digests: dict[ResourceUids, str] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)
    fails: bool = False

    def get_digests(self, instances: Sequence[ResourceUids]) -> Mapping[ResourceUids, str]:
        self.batches.append(len(instances))
        if self.fails:
            raise ServiceFaultError("DynamoDB failed")
        return {uids: self.digests[uids] for uids in instances if uids in self.digests}


class FailingLanding(MemoryLanding):
    """Fails with an error when a small instance is written."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def put(self, key: str, instance_bytes: bytes, sha256: str) -> None:
        raise self.error


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class StowServer:
    """A running service over fakes: `landing` and `records`."""

    def __init__(self, landing: Any, records: Records, limits: StoreLimits, idle_timeout_seconds: float) -> None:
        self.landing = landing
        self.records = records
        store = StoreInstances(landing, records, limits)  # type: ignore[arg-type]
        options = ServiceOptions(dicomweb_root=ROOT, idle_timeout_seconds=idle_timeout_seconds)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._runner = web.AppRunner(create_app(store, options), access_log=None, shutdown_timeout=5)
        self.port: int = self._run(self._start())

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _start(self) -> int:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return int(self._runner.addresses[0][1])

    def stop(self) -> None:
        self._run(self._cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cleanup(self) -> None:
        # aiohttp waits for its whole timeout if a client is just closing a connection, and then tries for
        # ten seconds to read what the client might still have sent.
        deadline = self._loop.time() + 1
        while self._runner.server and self._runner.server.connections and self._loop.time() < deadline:
            await asyncio.sleep(0.01)
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def post(
        self,
        body: bytes,
        *,
        path: str = "/studies",
        content_type: str | None = MULTIPART,
        accept: str | None = JSON_TYPE,
        method: str = "POST",
    ) -> Answer:
        headers = {"Content-Type": content_type, "Accept": accept}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    @contextmanager
    def connect(self) -> Iterator[socket.socket]:
        """A bare connection, for bytes that no client library would send."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            yield connection


@contextmanager
def running(
    landing: Any = None,
    *,
    limits: StoreLimits | None = None,
    idle_timeout_seconds: float = 10,
) -> Iterator[StowServer]:
    """Start the service, and end it."""
    server = StowServer(landing or MemoryLanding(), Records(), limits or store_limits(), idle_timeout_seconds)
    try:
        yield server
    finally:
        server.stop()
