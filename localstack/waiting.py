"""Waits for a condition that becomes true outside this process."""

import time
from collections.abc import Callable

from localstack.errors import HarnessError


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60, *, poll_seconds: float = 0.05) -> None:
    """Poll a condition until it holds.

    Parameters
    ----------
    what
        The condition in words, for the message of the error.

    Raises
    ------
    HarnessError
        The condition did not hold in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise HarnessError(f"timed out after {seconds:.0f} s; expected: {what}")
        time.sleep(poll_seconds)
