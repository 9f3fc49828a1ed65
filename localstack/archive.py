"""The whole archive on one machine: starts its parts in order, ends them, and knows its addresses."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from localstack.backend.docker import DockerBackend
from localstack.backend.embedded import EmbeddedBackend
from localstack.configuration import HOST, Configuration
from localstack.deployment.protocol import Deployed, Deployment
from localstack.deployment.with_cdk import CdkDeployment
from localstack.deployment.with_chalice import ChaliceDeployment
from localstack.errors import HarnessError
from localstack.listeners import choose_ports
from localstack.parts.aws import EmulatedAws
from localstack.parts.edge import start_edge
from localstack.parts.viewer import app_config, install_viewer
from localstack.processes import Supervisor
from localstack.progress import Progress
from localstack.sample import store_sample, wait_until_searchable

_STEPS = 9
_DEPLOYMENTS: Mapping[str, Callable[[EmulatedAws, Configuration, str], Deployment]] = {
    "chalice": ChaliceDeployment,
    "cdk": CdkDeployment,
}


@dataclass(frozen=True, slots=True)
class Urls:
    """Addresses of a running archive, as `make urls` prints them."""

    viewer: str
    dicomweb: str
    qido: str
    wado: str
    stow: str
    s3_endpoint: str
    landing_bucket: str
    static_bucket: str
    landing_queue: str
    records_table: str
    rejections_table: str
    region: str

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), indent=2)


class Archive:
    """One archive on this machine.

    Parameters
    ----------
    configuration
        Where its state is, and its names and limits.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        layout = configuration.layout
        layout.create()
        self.supervisor = Supervisor(layout.processes, layout.logs)

    def start(self) -> Urls:
        """Start everything that does not run, and return when all of it answers.

        Raises
        ------
        HarnessError
            A step failed; what was started is ended again.
        """
        if self.is_running():
            return self.urls()
        self.stop()  # what an interrupted command left
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def is_running(self) -> bool:
        """Whether the last start was completed and all its processes still run."""
        recorded = self.supervisor.recorded()
        return bool(recorded) and self._urls_file.exists() and len(self.supervisor.alive()) == len(recorded)

    def stop(self) -> list[str]:
        """End what was started; returns the names of what ran."""
        self._urls_file.unlink(missing_ok=True)
        ports = self.configuration.layout.ports
        stopped = self.supervisor.stop_all()
        if ports.exists():
            stopped += self._backend(json.loads(ports.read_text())).stop()
        return stopped

    def urls(self) -> Urls:
        """Addresses of the running archive.

        Raises
        ------
        HarnessError
            It does not run.
        """
        if not self.is_running():
            raise HarnessError("the archive does not run: `make start` starts it")
        return Urls(**json.loads(self._urls_file.read_text()))

    @property
    def _urls_file(self) -> Path:
        return self.configuration.layout.run / "urls.json"

    def _backend(self, ports: Mapping[str, int]) -> EmbeddedBackend | DockerBackend:
        if self.configuration.backend == "localstack":
            return DockerBackend(self.configuration, ports)
        return EmbeddedBackend(self.configuration, ports, self.supervisor)

    def _start(self) -> Urls:
        configuration, layout = self.configuration, self.configuration.layout
        self._keep_to_one_deployment()
        progress = Progress(_STEPS)
        with progress.step("Ports") as step:
            ports = choose_ports(layout.ports, configuration.requested_ports)
            backend = self._backend(ports)
            backend.check()
            step.detail = ", ".join(f"{name} {port}" for name, port in ports.items())
        aws = EmulatedAws(ports["emulator"], configuration.region, localstack=configuration.backend == "localstack")
        viewer_url = f"http://{HOST}:{ports['edge']}/"
        way = _DEPLOYMENTS[configuration.deployment]
        deployment = way(aws, configuration, f"{viewer_url}dicomweb")
        with progress.step(backend.aws_title) as step:
            backend.start_aws()
            step.detail = aws.endpoint
        database = deployment.prepare(progress, ports["database"])
        with progress.step(backend.database_title):
            backend.start_database(database)
        with progress.step("Viewer (OHIF)"):
            viewer = install_viewer(layout.cache, self.supervisor.log("viewer"))
            viewer_config = layout.run / "app-config.js"
            viewer_config.write_text(app_config())
        deployed = deployment.complete(progress, database)
        urls = self._urls(viewer_url, aws, deployed)
        with progress.step("STOW service"):
            backend.start_stow({**deployed.store_settings, **aws.environment()})
        with progress.step("Edge") as step:
            start_edge(
                self.supervisor,
                configuration,
                ports,
                s3_endpoint=aws.endpoint,
                static_bucket=urls.static_bucket,
                api_url=deployed.api_url,
                viewer=viewer,
                viewer_config=viewer_config,
                ready=lambda: _search_answers(urls.dicomweb),
            )
            step.detail = urls.viewer
        with progress.step("Sample study") as step:
            step.detail = self._store_sample(urls)
        self._urls_file.write_text(urls.to_json() + "\n")
        return urls

    def _keep_to_one_deployment(self) -> None:
        """Each way has buckets and tables of its own, but there is one database: it would show the other's studies."""
        wanted, kept = self.configuration.deployment, self.configuration.layout.data / "deployment"
        former = kept.read_text() if kept.exists() else wanted
        if former != wanted:
            raise HarnessError(
                f"this archive was made by DEPLOY={former}: go on with that, name another STATE_DIR, or `make clean`"
            )
        kept.write_text(wanted)

    def _urls(self, viewer: str, aws: EmulatedAws, deployed: Deployed) -> Urls:
        settings = deployed.store_settings
        return Urls(
            viewer=viewer,
            dicomweb=f"{viewer}dicomweb",
            qido=f"{viewer}qido",
            wado=f"{viewer}dicomweb",
            stow=f"{viewer}dicomweb/studies",
            s3_endpoint=aws.endpoint,
            landing_bucket=settings["LANDING_BUCKET"],
            static_bucket=settings["STATIC_BUCKET"],
            landing_queue=settings["LANDING_QUEUE_NAME"],
            records_table=settings["RECORDS_TABLE"],
            rejections_table=settings["REJECTIONS_TABLE"],
            region=self.configuration.region,
        )

    def _store_sample(self, urls: Urls) -> str:
        """Store the sample once in an archive's life: who deletes it does not want it back."""
        if not self.configuration.sample:
            return "not asked for"
        stored = self.configuration.layout.data / "sample-stored"
        if stored.exists() and self.configuration.backend == "embedded":  # LocalStack keeps nothing
            return "stored at the first start"
        store_sample(urls.stow)
        wait_until_searchable(urls.dicomweb)
        stored.touch()
        return "stored by STOW-RS, and found"


def _search_answers(dicomweb_root: str) -> bool:
    """Whether a search gets through edge, API, function and database.

    Raises
    ------
    HarnessError
        It gets through and is refused: waiting would not help.
    """
    request = urllib.request.Request(  # noqa: S310 - the harness's own URL
        f"{dicomweb_root}/studies?limit=1", headers={"Accept": "application/dicom+json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return response.status in (200, 204)
    except urllib.error.HTTPError as error:
        if error.code < 500:
            raise HarnessError(f"a search answers {error.code}: {error.read(500)!r}") from error
        return False
    except OSError:
        return False
