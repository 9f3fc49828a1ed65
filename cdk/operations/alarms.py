"""The table of alarms: metric, threshold, meaning, and the section of docs/operations.md that says what to do."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.archive.aurora_connections import max_connections
from cdk.configuration.deployment import Deployment
from cdk.configuration.limits import API_TIMEOUT_SECONDS, CONVERT_ATTEMPTS, CONVERT_TIMEOUT_SECONDS
from cdk.operations.metrics import Watched, days_to_expiry
from cdk.operations.watch import UNDER, Watch
from chalicelib import metrics

_TIB = 1024**4
_SLOW_API_SECONDS = 20  # of API_TIMEOUT_SECONDS
_NEAR_TIMEOUT = 0.8


def ingest_alarms(watched: Watched) -> list[Watch]:
    """Alarms for the way from the landing bucket to the index."""
    minute = Duration.minutes(1)
    return [
        Watch(
            name="DeadLetters",
            metric=watched.dead_letter_queue.metric_approximate_number_of_messages_visible(
                statistic="Maximum", period=minute
            ),
            threshold=1,
            means=f"Files were not converted in {CONVERT_ATTEMPTS} attempts. They are kept, but cannot be searched.",
            section="Dead-letter queue",
        ),
        Watch(
            name="QueueAge",
            metric=watched.queue.metric_approximate_age_of_oldest_message(statistic="Maximum", period=minute),
            threshold=900,
            periods=5,
            means="Received files have waited for more than 15 minutes to be converted.",
            section="Ingest is slow",
        ),
        Watch(
            name="ArrivalToSearchable",
            metric=watched.of_archive(metrics.ARRIVAL_TO_SEARCHABLE, "p95"),
            threshold=120_000,
            periods=3,
            means="One in twenty instances becomes searchable two minutes or more after its arrival.",
            section="Ingest is slow",
        ),
        Watch(
            name="ConvertErrors",
            metric=watched.of_function("convert", "Errors", "Sum"),
            threshold=1,
            periods=3,
            means="Conversions or publications have been failing for a quarter of an hour. They are retried.",
            section="Conversion fails",
        ),
        Watch(
            name="PublicationFailures",
            metric=watched.of_archive(metrics.PUBLICATION_FAILURES, "Sum"),
            threshold=1,
            periods=3,
            means="Studies cannot be published: their converted instances do not become searchable.",
            section="Conversion fails",
        ),
        Watch(
            name="ConvertThrottles",
            metric=watched.of_function("convert", "Throttles", "Sum"),
            threshold=1,
            periods=3,
            means="Lambda refuses to start converters: the account's limit of concurrent functions is reached.",
            section="Ingest is slow",
        ),
        Watch(
            name="ConvertDuration",
            metric=watched.of_function("convert", "Duration", "Maximum"),
            threshold=_NEAR_TIMEOUT * CONVERT_TIMEOUT_SECONDS * 1000,
            means="A conversion took almost as long as its timeout allows.",
            section="Ingest is slow",
        ),
        Watch(
            name="InstancesRejected",
            metric=watched.of_archive(metrics.INSTANCES_REJECTED, "Sum"),
            threshold=1,
            means="Notice: files were received that can never be published. They are kept, with the reason.",
            section="Rejected instances",
        ),
    ]


def api_alarms(watched: Watched) -> list[Watch]:
    """Alarms for searches and for representations that are made on demand."""
    return [
        Watch(
            name="ApiErrors",
            metric=watched.of_api("5XXError", "Average"),
            threshold=0.05,
            periods=3,
            means="One in twenty requests to the API fails.",
            section="Requests fail",
        ),
        Watch(
            name="RequestErrors",
            metric=watched.of_archive(metrics.REQUEST_ERRORS, "Average"),
            threshold=0.05,
            periods=3,
            means="API and store answer one in twenty requests with a server error.",
            section="Requests fail",
        ),
        Watch(
            name="ApiFunctionErrors",
            metric=watched.of_function("api", "Errors", "Sum"),
            threshold=5,
            periods=3,
            means="The API function ends without an answer: it times out or lacks memory.",
            section="Requests fail",
        ),
        Watch(
            name="ApiDuration",
            metric=watched.of_function("api", "Duration", "p99"),
            threshold=_SLOW_API_SECONDS * 1000,
            periods=3,
            means=f"One in 100 requests takes {_SLOW_API_SECONDS} s or more; the limit is {API_TIMEOUT_SECONDS} s.",
            section="Requests fail",
        ),
    ]


def store_alarms(watched: Watched, deployment: Deployment) -> list[Watch]:
    """Alarms for STOW-RS: load balancer, tasks and certificate."""
    minute = Duration.minutes(1)
    targets = watched.target_group.metrics
    return [
        Watch(
            name="StoreHasNoTask",
            metric=targets.healthy_host_count(statistic="Minimum", period=minute),
            threshold=1,
            comparison=UNDER,
            periods=3,
            missing=cloudwatch.TreatMissingData.BREACHING,
            means="No instance can be stored: no task of the store is healthy.",
            section="The store is unhealthy",
        ),
        Watch(
            name="StoreUnhealthyTask",
            metric=targets.un_healthy_host_count(statistic="Maximum", period=minute),
            threshold=1,
            periods=10,
            means="A task of the store has not answered for ten minutes.",
            section="The store is unhealthy",
        ),
        Watch(
            name="StoreTlsErrors",
            metric=watched.of_balancer("ClientTLSNegotiationErrorCount", "Sum"),
            threshold=100,
            periods=3,
            means="Senders fail to connect: they may not support TLS 1.2, or not trust the certificate.",
            section="The store is unhealthy",
        ),
        Watch(
            name="StoreCertificate",
            metric=days_to_expiry(deployment.certificate_arn),
            threshold=30,
            comparison=UNDER,
            means="The load balancer's certificate expires within 30 days: ACM could not renew it.",
            section="Certificates",
        ),
    ]


def index_alarms(watched: Watched, deployment: Deployment) -> list[Watch]:
    """Alarms for the index in Aurora."""
    connections = max_connections(deployment)
    return [
        Watch(
            name="IndexCpu",
            metric=watched.of_writer("CPUUtilization", "Average"),
            threshold=90,
            periods=3,
            means="The CPU of the index is almost fully used.",
            section="The index is at its limit",
        ),
        Watch(
            name="IndexCapacity",
            metric=watched.of_index("ACUUtilization", "Average"),
            threshold=95,
            periods=6,
            means="The index has used almost all of its capacity units for half an hour.",
            section="The index is at its limit",
        ),
        Watch(
            name="IndexConnections",
            metric=watched.of_index("DatabaseConnections", "Maximum"),
            threshold=int(0.8 * connections),
            periods=3,
            means=f"Four fifths of the {connections} connections of the index are in use.",
            section="The index is at its limit",
        ),
        Watch(
            name="IndexStorage",
            metric=watched.of_index("AuroraVolumeBytesLeftTotal", "Minimum"),
            threshold=_TIB,
            comparison=UNDER,
            means="The index can grow by less than 1 TiB.",
            section="The index is at its limit",
        ),
        Watch(
            name="IndexLocalStorage",
            metric=watched.of_index("FreeLocalStorage", "Minimum"),
            threshold=1024**3,
            comparison=UNDER,
            periods=3,
            means="The index has less than 1 GiB left for sorting and temporary tables.",
            section="The index is at its limit",
        ),
    ]


def edge_alarms(watched: Watched, deployment: Deployment) -> list[Watch]:
    """Alarms for CloudFront and its certificate; they must be in us-east-1."""
    alarms = [
        Watch(
            name="EdgeErrors",
            metric=watched.of_edge("5xxErrorRate", "Average"),
            threshold=5,  # per cent
            periods=3,
            means="CloudFront answers one in twenty requests with a status of 5xx.",
            section="Requests fail",
        )
    ]
    if deployment.viewer_certificate_arn:
        alarms.append(
            Watch(
                name="EdgeCertificate",
                metric=days_to_expiry(deployment.viewer_certificate_arn),
                threshold=30,
                comparison=UNDER,
                means="The viewer's certificate expires within 30 days: ACM could not renew it.",
                section="Certificates",
            )
        )
    return alarms
