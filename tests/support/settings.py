"""Settings and limits of an archive over fakes; its names refer to nothing real."""

from dataclasses import replace

from chalicelib import bootstrap
from chalicelib.services.store_instances import StoreLimits
from chalicelib.settings import Settings, StowSettings

SETTINGS = Settings(
    landing_bucket="landing",
    static_bucket="static",
    records_table="records",
    rejections_table="rejections",
    database_secret_id="database",
    dicomweb_root="http://archive/dicomweb",
)


def store_limits(**changes: int) -> StoreLimits:
    """The default limits of the STOW service, with changes."""
    return replace(bootstrap.store_limits(SETTINGS, StowSettings()), **changes)
