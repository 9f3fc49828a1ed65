"""Shows the user what the harness is doing: one line for each step."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from localstack.errors import HarnessError, last_lines


@dataclass(slots=True)
class Step:
    """One step; `detail` is printed when the step is done."""

    name: str
    detail: str = ""


@dataclass(slots=True)
class Progress:
    """Numbers the steps and times them.

    Parameters
    ----------
    total
        How many steps there will be.
    """

    total: int
    output: TextIO = field(default_factory=lambda: sys.stdout)
    _number: int = 0

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Print ``[3/9] MariaDB … ready in 0.6 s``, or FAILED and the end of the log that the error names.

        The code that catches the error shows its cause.
        """
        self._number += 1
        print(f"[{self._number}/{self.total}] {name} … ", end="", file=self.output, flush=True)
        begin = time.monotonic()
        step = Step(name)
        try:
            yield step
        except HarnessError as error:
            print("FAILED", file=self.output)
            if error.log is not None and (end := last_lines(error.log)):
                print(f"  The last lines of {error.log}:\n{end}", file=self.output)
            self.output.flush()
            raise
        except BaseException:
            print("FAILED", file=self.output, flush=True)
            raise
        detail = f" ({step.detail})" if step.detail else ""
        print(f"ready in {time.monotonic() - begin:.1f} s{detail}", file=self.output, flush=True)
