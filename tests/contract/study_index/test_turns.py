"""The contract of StudyIndex: one publisher of a study at a time."""

import threading

import pytest

from chalicelib.dicomweb.attributes import Level
from chalicelib.errors import ServiceFaultError
from tests.support.qido_builders import make_publication, make_series, search


def test_only_one_publisher_of_a_study_has_the_turn(index):
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with index.turn("1.2"):
            entered.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(10)
    with pytest.raises(ServiceFaultError), index.turn("1.2"):
        pytest.fail("two publishers had the turn")
    with index.turn("1.3"):  # a publisher of another study does not wait
        pass
    leave.set()
    holder.join(10)
    with index.turn("1.2") as turn:
        turn.ensure_held()


def test_a_publisher_that_fails_releases_the_turn(index):
    with pytest.raises(ValueError, match="fails"), index.turn("1.2"):
        raise ValueError("fails")
    with index.turn("1.2") as turn:
        turn.ensure_held()


def test_publishers_at_once_lose_no_version_and_no_instance(index):
    """Eight threads publish four studies; each commits all instances that were added before its turn."""
    stored: dict[str, list[str]] = {f"1.{study}": [] for study in range(4)}
    guard = threading.Lock()
    failures: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            for number in range(6):
                study_uid = f"1.{(worker + number) % 4}"
                with guard:
                    stored[study_uid].append(f"{study_uid}.{worker}.{number}")
                requested = index.mark_dirty(study_uid)
                with index.turn(study_uid) as turn:
                    if turn.published_version() >= requested:
                        continue
                    version = turn.dirty_version()
                    with guard:
                        instances = list(stored[study_uid])
                    turn.commit(version, make_publication(study_uid, [make_series("7", instances)]))
        except BaseException as error:
            failures.append(error)

    index._lock_timeout_seconds = 60
    workers = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert failures == []
    found = {key.sop_instance_uid for key in search(index, Level.INSTANCE).keys}
    assert found == {uid for uids in stored.values() for uid in uids}
    for study_uid in stored:
        with index.turn(study_uid) as turn:
            assert turn.published_version() == turn.dirty_version() == 12
