import pytest

from localstack.errors import HarnessError
from localstack.waiting import wait_until


def test_a_condition_that_holds_is_not_waited_for():
    wait_until(lambda: True, "nothing", 0)


def test_a_condition_is_polled_until_it_holds():
    answers = iter([False, False, True])

    wait_until(lambda: next(answers), "the third answer", poll_seconds=0)

    assert list(answers) == []


def test_a_condition_that_never_holds_is_named():
    with pytest.raises(HarnessError, match="timed out after 0 s; expected: the archive is ready"):
        wait_until(lambda: False, "the archive is ready", 0)
