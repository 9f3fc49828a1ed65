"""A thousand real files of all kinds: the valid ones are published, and each of the others has a reason."""

import hashlib
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

from localstack.waiting import wait_until
from tests.e2e.support.clients import (
    FAILED_SOP_SEQUENCE,
    FAILURE_REASON,
    SOP_INSTANCE_UID,
    Answer,
    search,
    store,
    values,
)
from tests.e2e.support.corpus import corpus_path, needs_corpus, read_table

CLIENTS = 4
FILES_A_REQUEST = 20
DUPLICATE, CANNOT_UNDERSTAND = 273, 49152

# Files that cannot be published. All others that are not published have the UIDs of another file with other content.
BROKEN = {
    "open/ThalesMMS__DICOM-Swift/Fixtures/Compressed/jpeg_baseline_synthetic.dcm": "JPEG that holds native pixels",
    "open/fo-dicom__fo-dicom/FO-DICOM.Tests/Test_Data/GH179A.dcm": "an element without a valid VR",
    "open/fo-dicom__fo-dicom/FO-DICOM.Tests/Test_Data/GH179B.dcm": "an element without a valid VR",
    "open/pypi__pydicom/data/test_files/MR_truncated.dcm": "ends within its pixel data",
    "open/pypi__pydicom/data/test_files/SC_rgb_jpeg.dcm": "implicit VR in a transfer syntax of explicit VR",
    "open/pypi__pydicom/data/test_files/rtplan_truncated.dcm": "ends within a value",
}


@needs_corpus("open")
def test_each_file_of_the_open_corpus_is_published_or_there_is_a_reason(archive, backend) -> None:
    rows = read_table("open.tsv")
    instances = defaultdict(set)  # digests of the contents that claim to be the instance
    for row in rows:
        if row["path"] not in BROKEN:
            instances[row["study_uid"], row["series_uid"], row["sop_uid"]].add(row["sha256"])
    broken = {row["sop_uid"] for row in rows if row["path"] in BROKEN}
    rejected_before = set(backend.rejections())
    started = time.monotonic()

    def store_batch(start: int) -> Answer:
        batch = rows[start : start + FILES_A_REQUEST]
        return store(archive.stow, *(corpus_path(row["path"]).read_bytes() for row in batch))

    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(store_batch, range(0, len(rows), FILES_A_REQUEST)))
    stored = time.monotonic()
    assert {answer.status for answer in answers} <= {200, 202}

    known = set().union(*instances.values())
    wait_until(
        lambda: len(known & set(backend.published())) == len(instances),
        "each instance is published",
        seconds=150,
        poll_seconds=1,
    )
    published = known & set(backend.published())
    finished = time.monotonic()
    # One content of each instance, and never two.
    assert {len(contents & published) for contents in instances.values()} == {1}

    failed = [item for answer in answers for item in answer.json().get(FAILED_SOP_SEQUENCE, {}).get("Value", [])]
    refused = {reason: set() for reason in values(failed, FAILURE_REASON)}
    for item in failed:
        refused[item[FAILURE_REASON]["Value"][0]].add(item[SOP_INSTANCE_UID]["Value"][0])
    assert refused[CANNOT_UNDERSTAND] == broken
    assert set(refused) <= {CANNOT_UNDERSTAND, DUPLICATE}

    # A second content is refused immediately if the first is registered, and otherwise at its conversion.
    others = [row for row in rows if row["sha256"] in known - published]
    undecided = {row["sha256"] for row in others if row["sop_uid"] not in refused.get(DUPLICATE, set())}
    wait_until(lambda: undecided <= digests_rejected(backend, rejected_before), "each second content is rejected")

    studies = Counter(study for study, _, _ in instances)
    hits = search(f"{archive.dicomweb}/studies", limit=5000)
    counts = dict(zip(values(hits, "0020000D"), values(hits, "00201208"), strict=True))
    assert {study: counts.get(study) for study in studies} == studies
    assert backend.dead_letters() == 0

    print(
        f"\nopen corpus: {len(rows)} files, {len(published)} published as {len(studies)} studies,"
        f" {len(others)} refused as other contents of published instances, {len(BROKEN)} broken:"
    )
    for path, reason in BROKEN.items():
        print(f"  {path}: {reason}")
    print(f"stored in {stored - started:.0f} s, all published after {finished - started:.0f} s")


def digests_rejected(backend, before) -> set[str]:
    """Return the digests of contents that were rejected as duplicates, without those of earlier tests."""
    new = {landed for landed, (reason, _) in backend.rejections().items() if reason == DUPLICATE} - before
    return {hashlib.sha256(backend.read(landed)).hexdigest() for landed in new}
