"""The archive as the harness creates it: buckets, queue, tables and secret one by one, then `chalice deploy`."""

from collections.abc import Mapping
from contextlib import closing

from chalicelib.adapters.mysql.schema import apply_schema
from localstack.configuration import Configuration
from localstack.deployment.chalice_deploy import deploy
from localstack.deployment.protocol import Deployed
from localstack.deployment.provision import ensure_database_secret, provision
from localstack.parts.aws import EmulatedAws
from localstack.parts.mariadb import Database, connect
from localstack.progress import Progress


class ChaliceDeployment:
    """One archive's resources, under the names of its configuration.

    Parameters
    ----------
    aws
        The emulator that they are created in.
    configuration
        Their names and limits.
    dicomweb_root
        URL of the DICOMweb root at the edge.
    """

    def __init__(self, aws: EmulatedAws, configuration: Configuration, dicomweb_root: str) -> None:
        self._aws = aws
        self._configuration = configuration
        self._dicomweb_root = dicomweb_root

    def prepare(self, _progress: Progress, database_port: int) -> Database:
        """Create the secret with the database's address and account."""
        return ensure_database_secret(self._aws, self._configuration, database_port)

    def complete(self, progress: Progress, database: Database) -> Deployed:
        """Create the rest, and deploy the application."""
        configuration = self._configuration
        settings = self.settings()
        with progress.step("Buckets, queue, tables and schema"):
            provision(self._aws, configuration)
            with closing(connect(database)) as connection:
                apply_schema(connection)
        with progress.step("Chalice application") as step:
            log = configuration.layout.logs / "deploy.log"
            api_url, deployed = deploy(self._aws, configuration, settings, log)
            step.detail = "deployed" if deployed else "unchanged"
        return Deployed(api_url=api_url, store_settings=settings)

    def settings(self) -> Mapping[str, str]:
        """Return the variables from which every process of the archive reads its settings (chalicelib.settings)."""
        configuration = self._configuration
        return {
            "LANDING_BUCKET": configuration.landing_bucket,
            "STATIC_BUCKET": configuration.static_bucket,
            "RECORDS_TABLE": configuration.records_table,
            "REJECTIONS_TABLE": configuration.rejections_table,
            "DATABASE_SECRET_ID": configuration.database_secret,
            "LANDING_QUEUE_NAME": configuration.landing_queue,
            "DICOMWEB_ROOT": self._dicomweb_root,
        }
