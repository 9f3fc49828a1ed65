"""Fills the nginx template of the local edge with the addresses of the services behind it."""

import os
import pwd
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from edge.sources import EDGE_DIRECTORY, edge_source

DEBIAN_MODULE_DIRECTORY = "/usr/lib/nginx/modules"


class _NginxTemplate(Template):
    """A template with ``%{name}`` for its values, because ``$`` begins nginx's own variables."""

    delimiter = "%"


def render_nginx_conf(
    *,
    edge_port: int,
    origin_port: int,
    s3_endpoint: str,
    static_bucket: str,
    api_base: str,
    stow_upstream: str,
    viewer_root: str | Path,
    viewer_config: str | Path,
    run_directory: str | Path,
    module_directory: str = DEBIAN_MODULE_DIRECTORY,
) -> str:
    """Fill the template, and create the directories that nginx expects below `run_directory`.

    Parameters
    ----------
    edge_port, origin_port
        Two free ports of 127.0.0.1: one for clients, one for the server through which the edge itself reads the bucket.
    s3_endpoint, api_base, stow_upstream
        ``http`` URLs of S3 (with path-style addresses), of the API (without ``/dicomweb``), and of the STOW service
        (which accepts ``POST`` of ``/studies`` and ``/studies/{uid}``).
    viewer_root, viewer_config
        OHIF's built files, and the ``app-config.js`` to serve in place of the one among them.
    run_directory
        Directory for process id, logs, cache and temporary files. The cache may survive restarts, but must be deleted
        when the bucket is emptied, because the edge does not revalidate immutable objects.
    module_directory
        Directory of nginx's dynamic modules.

    Returns
    -------
    str
        Configuration for ``nginx -c FILE -e RUN_DIRECTORY/error.log``, which runs in the foreground.
    """
    run = Path(run_directory).resolve()
    for name in ("temporary", "cache"):
        (run / name).mkdir(parents=True, exist_ok=True)
    api = urlsplit(api_base)
    template = _NginxTemplate(edge_source("nginx.conf.template"))
    return template.substitute(
        edge_port=edge_port,
        origin_port=origin_port,
        s3_address=urlsplit(s3_endpoint).netloc,
        static_bucket=static_bucket,
        api_address=api.netloc,
        api_path=api.path.rstrip("/"),
        stow_address=urlsplit(stow_upstream).netloc,
        viewer_root=Path(viewer_root).resolve(),
        viewer_config=Path(viewer_config).resolve(),
        run_directory=run,
        module_directory=module_directory,
        js_directory=EDGE_DIRECTORY,
        # If root starts nginx, its workers would run as `nobody`, who cannot read a private directory.
        user_directive=f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else "",
    )
