"""The one error of the harness: a step that failed, with the log that shows why."""

from pathlib import Path


class HarnessError(Exception):
    """A step failed in a way that the user can understand or repair.

    Parameters
    ----------
    message
        What went wrong, and what the user can do about it if that is known.
    log
        The file whose last lines tell more.
    """

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.log = log


def last_lines(path: Path, count: int = 25) -> str:
    """Return the end of a log file, indented; an empty string if the file does not exist."""
    if not path.exists():
        return ""
    lines = path.read_text(errors="replace").splitlines()[-count:]
    return "\n".join(f"    {line}" for line in lines)
