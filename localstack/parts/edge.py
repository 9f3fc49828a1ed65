"""Runs the local edge: nginx with the routing module that CloudFront runs, too."""

import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from chalicelib.dicomweb.media_types import DICOM_JSON
from edge.nginx_conf import render_nginx_conf
from edge.viewer_files import app_config
from localstack.configuration import HOST, Configuration
from localstack.errors import HarnessError
from localstack.parts.nginx import start_nginx
from localstack.parts.urls import Urls
from localstack.processes import Supervisor


def start_edge(
    supervisor: Supervisor,
    configuration: Configuration,
    ports: Mapping[str, int],
    urls: Urls,
    *,
    api_url: str,
    viewer: Path,
) -> None:
    """Write its configuration, start it and wait until a search gets through it.

    Parameters
    ----------
    urls
        Addresses of the archive that it serves.
    api_url
        Base URL of the deployed API, without a trailing slash.
    viewer
        Directory of the viewer's files.

    Raises
    ------
    HarnessError
        nginx ended, a search is refused, or none was answered in time.
    """
    directory = configuration.layout.run / "edge"
    viewer_config = configuration.layout.run / "app-config.js"
    viewer_config.write_text(app_config())
    text = render_nginx_conf(
        edge_port=ports["edge"],
        origin_port=ports["edge_origin"],
        s3_endpoint=urls.s3_endpoint,
        static_bucket=urls.static_bucket,
        api_base=api_url,
        stow_upstream=f"http://{HOST}:{ports['stow_proxy']}",
        viewer_root=viewer,
        viewer_config=viewer_config,
        run_directory=directory,
    )
    start_nginx(supervisor, "edge", text, directory, lambda: _search_answers(urls.dicomweb))


def _search_answers(dicomweb_root: str) -> bool:
    """Whether a search gets through edge, API, function and database.

    Raises
    ------
    HarnessError
        The search is refused with a status below 500: waiting would not help.
    """
    request = urllib.request.Request(  # noqa: S310 - the harness's own URL
        f"{dicomweb_root}/studies?limit=1", headers={"Accept": DICOM_JSON}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return response.status in (200, 204)
    except urllib.error.HTTPError as error:
        if error.code < 500:
            raise HarnessError(
                f"a search at {dicomweb_root} is answered with {error.code}: {error.read(500)!r}"
            ) from error
        return False
    except OSError:
        return False
