"""The steps of an archive's start, each after the steps that it depends on."""

from collections.abc import Callable, Mapping

from localstack.backend.docker import DockerBackend
from localstack.backend.embedded import EmbeddedBackend
from localstack.configuration import HOST, Configuration
from localstack.deployment.protocol import Deployed, DeploymentMethod
from localstack.deployment.with_cdk import CdkDeployment
from localstack.deployment.with_chalice import ChaliceDeployment
from localstack.errors import HarnessError
from localstack.listeners import choose_ports
from localstack.parts.aws import EmulatedAws
from localstack.parts.edge import start_edge
from localstack.parts.urls import Urls
from localstack.parts.viewer import install_viewer
from localstack.processes import Supervisor
from localstack.progress import Progress
from localstack.sample import store_sample, wait_until_searchable

_STEPS = 9
_DEPLOYMENTS: Mapping[str, Callable[[EmulatedAws, Configuration, str], DeploymentMethod]] = {
    "chalice": ChaliceDeployment,
    "cdk": CdkDeployment,
}


def choose_backend(
    configuration: Configuration, ports: Mapping[str, int], supervisor: Supervisor
) -> EmbeddedBackend | DockerBackend:
    """Return the backend that BACKEND names."""
    if configuration.backend == "localstack":
        return DockerBackend(configuration, ports)
    return EmbeddedBackend(configuration, ports, supervisor)


def start_parts(configuration: Configuration, supervisor: Supervisor) -> Urls:
    """Start all parts, one after the other, and print the progress.

    Raises
    ------
    HarnessError
        A step failed; what was started before it still runs.
    """
    _keep_to_one_deployment(configuration)
    progress = Progress(_STEPS)
    with progress.step("Ports") as step:
        ports = choose_ports(
            configuration.layout.ports,
            configuration.requested_ports,
            clean_command=configuration.make_command("clean"),
        )
        step.detail = ", ".join(f"{name} {port}" for name, port in ports.items())
    backend = choose_backend(configuration, ports, supervisor)
    aws = EmulatedAws(ports["emulator"], configuration.region, localstack=configuration.backend == "localstack")
    with progress.step(backend.aws_title) as step:
        backend.check()
        backend.start_aws()
        step.detail = aws.endpoint
    viewer_url = f"http://{HOST}:{ports['edge']}/"
    deployment = _DEPLOYMENTS[configuration.deployment](aws, configuration, f"{viewer_url}dicomweb")
    database = deployment.prepare(progress, ports["database"])
    with progress.step(backend.database_title):
        backend.start_database(database)
    with progress.step("Viewer (OHIF)"):
        viewer = install_viewer(configuration.layout.cache, supervisor.log("viewer"))
    deployed = deployment.complete(progress, database)
    urls = _urls(viewer_url, aws, deployed)
    with progress.step("STOW service"):
        backend.start_stow({**deployed.store_settings, **aws.environment()})
    with progress.step("Edge") as step:
        start_edge(supervisor, configuration, ports, urls, api_url=deployed.api_url, viewer=viewer)
        step.detail = urls.viewer
    with progress.step("Sample study") as step:
        step.detail = _store_sample(configuration, urls)
    return urls


def _keep_to_one_deployment(configuration: Configuration) -> None:
    """Refuse to change DEPLOY: each has its own buckets and tables, but the one database would show both's studies."""
    wanted, kept = configuration.deployment, configuration.layout.data / "deployment"
    former = kept.read_text() if kept.exists() else wanted
    if former != wanted:
        raise HarnessError(
            f"this archive was created with DEPLOY={former}: use that again, choose another STATE_DIR, "
            f"or remove the archive with its data (`{configuration.make_command('clean')}`)"
        )
    kept.write_text(wanted)


def _urls(viewer: str, aws: EmulatedAws, deployed: Deployed) -> Urls:
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
        region=aws.region,
    )


def _store_sample(configuration: Configuration, urls: Urls) -> str:
    """Store the sample at the first start only: a user who deletes it does not want it back."""
    if not configuration.sample:
        return "left out: SAMPLE=0"
    stored = configuration.layout.data / "sample-stored"
    if stored.exists() and configuration.backend == "embedded":  # LocalStack keeps nothing
        return "stored at the first start"
    store_sample(urls.stow)
    wait_until_searchable(urls.dicomweb)
    stored.touch()
    return "stored by STOW-RS, and found by a search"
