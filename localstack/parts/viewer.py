"""Fetches the viewer's files (OHIF) for this machine, as for AWS.

On AWS, they are in the viewer bucket. Here the edge serves them from the directory into which they were unpacked: that
saves the emulator 166 MB of objects for each archive, and no part of the archive depends on their place.
"""

from pathlib import Path

from edge.viewer_files import ViewerFilesError, viewer_files
from localstack.errors import HarnessError


def install_viewer(cache: Path, log: Path) -> Path:
    """Return the directory of OHIF's built files; the first call fetches and unpacks them.

    Raises
    ------
    HarnessError
        OHIF cannot be fetched, or the package is not the one that was tested.
    """
    try:
        return viewer_files(cache, log)
    except ViewerFilesError as error:
        raise HarnessError(str(error), log) from error
