"""The one error of the harness: a step that failed, with the log that says why."""

from pathlib import Path


class HarnessError(Exception):
    """A step failed in a way that the user can understand or repair.

    Parameters
    ----------
    message
        What went wrong and, where it is known, what to do.
    log
        The file whose last lines say more.
    """

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.log = log


def last_lines(path: Path, count: int = 25) -> str:
    """End of a log file, indented; empty where there is none."""
    if not path.exists():
        return ""
    lines = path.read_text(errors="replace").splitlines()[-count:]
    return "\n".join(f"    {line}" for line in lines)
