"""The local edge's nginx configuration, from its template and the addresses of the parts behind it."""

import os
import pwd
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from edge.sources import EDGE_DIRECTORY, edge_source

DEBIAN_MODULE_DIRECTORY = "/usr/lib/nginx/modules"


class _NginxTemplate(Template):
    """``%{name}``: nginx's own variables begin with the usual ``$``."""

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
    """Fill in the template, and make the directories that nginx expects below `run_directory`.

    Parameters
    ----------
    edge_port, origin_port
        Two free ports of 127.0.0.1: the edge, and its own view of the static bucket (for itself alone).
    s3_endpoint, api_base, stow_upstream
        ``http`` URLs: of S3 (path style), of the API below which ``/dicomweb`` begins, of the STOW
        service (takes ``POST /studies`` and ``/studies/{uid}``).
    viewer_root, viewer_config
        OHIF's built files, and the ``app-config.js`` to serve in place of theirs.
    run_directory
        For the process id, logs, cache and temporary files. The cache may stay over restarts, but goes
        when the bucket is emptied: it holds immutable objects unasked.
    module_directory
        Where nginx's dynamic modules are.

    Returns
    -------
    str
        For ``nginx -c FILE -e RUN_DIRECTORY/error.log``, which stays in the foreground.
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
        # Started by root, nginx's workers would become `nobody`, who cannot read a private directory.
        user_directive=f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else "",
    )
