"""Run the STOW-RS service: ``python -m stow_nlb``."""

import os

from aiohttp import web

from chalicelib.bootstrap import store_service
from chalicelib.json_logging import configure_logging
from chalicelib.settings import Settings, StowSettings, archive_name
from stow_nlb.service import ServiceOptions, create_app


def main() -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first."""
    configure_logging(archive_name(os.environ))
    settings, stow = Settings.from_environment(), StowSettings.from_environment()
    options = ServiceOptions(dicomweb_root=settings.dicomweb_root, idle_timeout_seconds=stow.idle_timeout_seconds)
    web.run_app(
        create_app(store_service(settings, stow), options),
        host=stow.host,
        port=stow.port,
        shutdown_timeout=stow.shutdown_timeout_seconds,
        # Longer than nginx keeps idle connections to the service (60 s), so that it never uses a closed one.
        keepalive_timeout=75,
        access_log=None,
        print=None,
    )


if __name__ == "__main__":
    main()
