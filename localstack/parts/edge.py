"""Runs the local edge: nginx with the routing module that CloudFront runs too."""

from collections.abc import Callable, Mapping
from pathlib import Path

from edge.nginx_conf import render_nginx_conf
from localstack.configuration import HOST, Configuration
from localstack.parts.nginx import start_nginx
from localstack.processes import Supervisor


def start_edge(
    supervisor: Supervisor,
    configuration: Configuration,
    ports: Mapping[str, int],
    *,
    s3_endpoint: str,
    static_bucket: str,
    api_url: str,
    viewer: Path,
    viewer_config: Path,
    ready: Callable[[], bool],
) -> None:
    """Render its configuration with this archive's addresses, start it and wait until it is ready."""
    directory = configuration.layout.run / "edge"
    text = render_nginx_conf(
        edge_port=ports["edge"],
        origin_port=ports["edge_origin"],
        s3_endpoint=s3_endpoint,
        static_bucket=static_bucket,
        api_base=api_url,
        stow_upstream=f"http://{HOST}:{ports['stow_proxy']}",
        viewer_root=viewer,
        viewer_config=viewer_config,
        run_directory=directory,
    )
    start_nginx(supervisor, "edge", text, directory, ready)
