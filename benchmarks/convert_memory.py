"""Measures the memory that the conversion of one large instance takes in addition to the imports.

    python -m benchmarks.convert_memory [MEBIBYTES]

Converts a multi-frame instance and a video of that size from a file, with stores that discard what they receive.
"""

import resource
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from typing import BinaryIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import MPEG4HP41, UID, EnhancedCTImageStorage, ExplicitVRLittleEndian

from chalicelib.adapters.memory.stores import MemoryRecordStore
from chalicelib.dicomweb.wado.static_object import StaticObject
from chalicelib.ports import ObjectContent, ObjectVersion
from chalicelib.services.convert_instance import ConvertInstance
from chalicelib.settings import MIB

FRAME_BYTES = 512 * 512 * 2


class ForgetfulStore:
    """An ObjectStore that reads one landing object from a file and counts the bytes that it is given."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self.written = 0

    @contextmanager
    def open(self, _version: ObjectVersion) -> Iterator[ObjectContent]:
        """Yield the file; its digest is not measured, so it is a constant."""
        self._file.seek(0)
        yield ObjectContent(self._file, self._size, "00", datetime.now(UTC))

    def put(self, _bucket: str, content: StaticObject) -> None:
        """Count the bytes and discard them."""
        for piece in [content.body] if isinstance(content.body, bytes) else content.body:
            self.written += len(piece)


def write_instance(file: BinaryIO, transfer_syntax_uid: str, mebibytes: int) -> int:
    """Write an instance of about `mebibytes` MiB; returns its size in bytes."""
    dataset = Dataset()
    dataset.SOPClassUID = EnhancedCTImageStorage
    dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2", f"1.2.{mebibytes}"
    dataset.Rows = dataset.Columns = 512
    dataset.BitsAllocated = 16
    dataset.SamplesPerPixel = 1
    dataset.NumberOfFrames = mebibytes * MIB // FRAME_BYTES
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    header = BytesIO()
    dcmwrite(header, dataset, enforce_file_format=True)
    file.write(header.getvalue())
    length = int(dataset.NumberOfFrames) * FRAME_BYTES
    frame = bytes(range(256)) * (FRAME_BYTES // 256)
    if transfer_syntax_uid == ExplicitVRLittleEndian:
        file.write(struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OW", 0, length))
    else:
        file.write(struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF))
        file.write(struct.pack("<HHLHHL", 0xFFFE, 0xE000, 0, 0xFFFE, 0xE000, length))
    for _ in range(length // FRAME_BYTES):
        file.write(frame)
    if transfer_syntax_uid != ExplicitVRLittleEndian:
        file.write(struct.pack("<HHL", 0xFFFE, 0xE0DD, 0))
    return file.tell()


def peak_mebibytes() -> float:
    """Return the peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure the instance with frames and the one with a video."""
    mebibytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    print(f"after the imports: {peak_mebibytes():.0f} MiB")
    for name, transfer_syntax_uid in (("frames", ExplicitVRLittleEndian), ("video", MPEG4HP41)):
        with tempfile.TemporaryFile() as file, ThreadPoolExecutor(8) as executor:
            size = write_instance(file, transfer_syntax_uid, mebibytes)
            store = ForgetfulStore(file, size)
            convert = ConvertInstance(
                objects=store,  # type: ignore[arg-type]
                records=MemoryRecordStore(),
                executor=executor,
                static_bucket="static",
                dicomweb_root="/dicomweb",
                max_inflated_bytes=0,
            )
            begun = time.perf_counter()
            assert convert.convert(ObjectVersion("landing", "large")) == "1.2"
            print(
                f"{name}: {size / MIB:.0f} MiB in {time.perf_counter() - begun:.1f} s,"
                f" {store.written / MIB:.0f} MiB written, peak {peak_mebibytes():.0f} MiB"
            )


if __name__ == "__main__":
    main()
