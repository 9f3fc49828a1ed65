"""Measures AWS calls and CPU time of conversion and publication per instance, for series of several lengths.

    python -m benchmarks.ingest_calls [LENGTH ...]

Runs both in this process with the real adapters, against the emulator and the database of a running archive
(``make start``; STATE_DIR chooses another archive).
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import boto3

from benchmarks.slices import make_slice, new_study_uid
from chalicelib.adapters.aws.s3_signed_put import SignedPut
from chalicelib.bootstrap import Services
from chalicelib.ports import ObjectVersion
from chalicelib.services.convert_instance import ConvertInstance
from chalicelib.settings import Settings
from localstack.archive import Archive
from localstack.configuration import Configuration
from localstack.deployment.with_chalice import ChaliceDeployment

BUCKET = "benchmark-landing"  # it has no notifications: the deployed function must not convert the same instances
BATCH = 10  # messages that the event source delivers together


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """Count the requests of all boto3 clients that are created in the block."""
    calls: Counter[str] = Counter()

    def count(model: object, **_: object) -> None:
        calls[f"{model.service_model.service_id} {model.name}"] += 1  # type: ignore[attr-defined]

    boto3.setup_default_session()
    assert boto3.DEFAULT_SESSION is not None
    boto3.DEFAULT_SESSION._session.register("before-call", count)
    put = SignedPut.put

    def counted_put(self: SignedPut, *arguments: Any, **options: Any) -> None:
        calls["S3 PutObject"] += 1
        put(self, *arguments, **options)

    SignedPut.put = counted_put  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        SignedPut.put = put  # type: ignore[method-assign]


def measure(length: int, batch: int, *, size: int) -> None:
    """Convert a series of `length` slices, publish after each `batch`, and print the cost per instance."""
    with counted_calls() as calls, ThreadPoolExecutor(1) as executor:
        services = Services(Settings.from_environment())
        convert = ConvertInstance(
            objects=services.objects,
            records=services.records,
            executor=executor,
            static_bucket=services.settings.static_bucket,
            dicomweb_root=services.settings.dicomweb_root,
            max_inflated_bytes=services.settings.max_inflated_bytes,
        ).convert
        study = new_study_uid()
        bucket = boto3.client("s3")
        bucket.create_bucket(Bucket=BUCKET)
        keys = [f"{study}/{number}" for number in range(1, length + 1)]
        for number, key in enumerate(keys, 1):
            bucket.put_object(Bucket=BUCKET, Key=key, Body=make_slice(study, f"{study}.1", number, size=size))
        services.publish.publish("1.2.3")  # connects
        calls.clear()
        converting, publishing, publications = 0.0, 0.0, Counter[str]()
        for start in range(0, length, batch):
            begun = time.process_time()
            for key in keys[start : start + batch]:
                convert(ObjectVersion(BUCKET, key))
            between, before = time.process_time(), Counter(calls)
            services.publish.publish(study)
            publishing += time.process_time() - between
            converting += between - begun
            publications += calls - before
        conversions = calls - publications
        print(
            f"{length:6} {batch:6} {conversions.total() / length:12.2f} {1000 * converting / length:12.2f}"
            f" {publications.total() / (length / batch):12.2f} {1000 * publishing / length:12.2f}"
        )
        if length == lengths()[-1]:
            for name, count in sorted((conversions + publications).items()):
                print(f"       {name}: {count / length:.2f} an instance")


def lengths() -> list[int]:
    """Return the lengths of the series to measure."""
    return [int(argument) for argument in sys.argv[1:]] or [50, 200, 500]


def main() -> None:
    """Measure all lengths, published in batches and one by one."""
    archive = Archive(Configuration.from_environment())
    urls = archive.urls()
    os.environ.update(
        ChaliceDeployment(urls.aws(), archive.configuration, urls.dicomweb).settings(),
        AWS_ENDPOINT_URL=urls.s3_endpoint,
        AWS_DEFAULT_REGION=urls.region,
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
    )
    print("length  batch  calls/conv.  CPU ms/conv. calls/publ. publ. CPU ms/instance")
    for batch in (BATCH, 1):
        for length in lengths():
            measure(length, batch, size=512)


if __name__ == "__main__":
    main()
