"""The boundary around everything that parses the bytes of a file: whatever a parser raises becomes a rejection."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from chalicelib.errors import DicomwebError, InstanceRejectedError

P = ParamSpec("P")
R = TypeVar("R")


def rejects(reason: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function that parses: its unexpected errors become InstanceRejectedError with this reason.

    A parser can fail on hostile bytes in ways that nobody has listed. Such a fault belongs to the instance: raised
    as it is, it would fail the whole store request, or let a message be retried in vain.

    Errors of the operating system and MemoryError pass: a retry may succeed. pydicom raises OSError too, but without
    a number.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except (DicomwebError, MemoryError):
                raise
            except Exception as error:
                if isinstance(error, OSError) and error.errno is not None:
                    raise
                raise InstanceRejectedError(reason) from error

        return guarded

    return decorate
