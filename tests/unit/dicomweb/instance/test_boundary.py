"""What becomes of the errors of a parser."""

import errno

import pytest

from chalicelib.dicomweb.instance.boundary import rejects
from chalicelib.errors import FailureReason, InstanceRejectedError, NotFoundError


def raising(error: BaseException) -> None:
    @rejects("the instance cannot be parsed")
    def parse() -> None:
        raise error

    parse()


@pytest.mark.parametrize("error", [ValueError(), KeyError("x"), RecursionError(), OSError("No tag to read")])
def test_an_error_of_a_parser_is_a_rejection(error: Exception) -> None:
    with pytest.raises(InstanceRejectedError, match="the instance cannot be parsed") as caught:
        raising(error)
    assert caught.value.failure_reason is FailureReason.CANNOT_UNDERSTAND
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "disk"), MemoryError(), NotFoundError("gone"), KeyboardInterrupt()]
)
def test_faults_of_the_machine_and_errors_of_the_archive_pass(error: BaseException) -> None:
    with pytest.raises(type(error)):
        raising(error)


def test_a_result_passes() -> None:
    assert rejects("no reason")(lambda number: number + 1)(1) == 2
