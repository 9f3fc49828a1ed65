"""Settings of an archive over fakes; its names refer to nothing real."""

from chalicelib.settings import Settings

SETTINGS = Settings(
    landing_bucket="landing",
    static_bucket="static",
    records_table="records",
    rejections_table="rejections",
    database_secret_id="database",
    dicomweb_root="http://archive/dicomweb",
)
