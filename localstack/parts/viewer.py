"""The viewer on this machine: OHIF's files, fetched as for AWS, in a directory.

On AWS they lie in the viewer bucket. Here the edge serves them from where they were unpacked: that saves the emulator
166 MB of objects for each archive, and nothing of the archive depends on where they lie.
"""

from pathlib import Path

from edge.viewer_files import ViewerFilesError, app_config, viewer_files
from localstack.errors import HarnessError

__all__ = ["app_config", "install_viewer"]


def install_viewer(cache: Path, log: Path) -> Path:
    """Directory of OHIF's built files, fetched and unpacked the first time.

    Raises
    ------
    HarnessError
        It cannot be fetched, or is not the package that was tested.
    """
    try:
        return viewer_files(cache, log)
    except ViewerFilesError as error:
        raise HarnessError(str(error), log) from error
