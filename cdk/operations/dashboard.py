"""The dashboard: throughput, latency and errors of the archive, and the load of its parts."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cdk.operations.metrics import Watched
from chalicelib import metrics

_WIDTH, _HEIGHT = 8, 6
_MINUTE = Duration.minutes(1)
_ZERO = cloudwatch.YAxisProps(min=0)


def make_dashboard(scope: Construct, identifier: str, watched: Watched) -> cloudwatch.Dashboard:
    """Create the dashboard, which has the archive's name."""
    return cloudwatch.Dashboard(
        scope,
        identifier,
        dashboard_name=watched.archive,
        default_interval=Duration.hours(12),
        widgets=[_ingest(watched), _queue(watched), _requests(watched), _store(watched), _parts(watched)],
    )


def _ingest(watched: Watched) -> list[cloudwatch.IWidget]:
    arrival = metrics.ARRIVAL_TO_SEARCHABLE
    return [
        _graph(
            "Instances a minute",
            [
                watched.of_archive(metrics.INSTANCES_PUBLISHED, "Sum", period=_MINUTE, label="published"),
                watched.of_archive(metrics.INSTANCES_STORED, "Sum", period=_MINUTE, label="stored by STOW-RS"),
            ],
        ),
        _graph(
            "From arrival to searchable, ms",
            [watched.of_archive(arrival, statistic, label=statistic) for statistic in ("p50", "p95")],
        ),
        _graph(
            "Rejected, and refused by STOW-RS",
            [
                watched.of_archive(metrics.INSTANCES_REJECTED, "Sum", label="rejected"),
                watched.of_archive(metrics.INSTANCES_NOT_STORED, "Sum", label="not stored"),
            ],
        ),
    ]


def _queue(watched: Watched) -> list[cloudwatch.IWidget]:
    queue, dead = watched.queue, watched.dead_letter_queue
    return [
        _graph(
            "Age of the oldest message, s",
            [queue.metric_approximate_age_of_oldest_message(statistic="Maximum", period=_MINUTE)],
        ),
        _graph(
            "Messages",
            [
                queue.metric_approximate_number_of_messages_visible(
                    statistic="Maximum", period=_MINUTE, label="waiting"
                ),
                queue.metric_approximate_number_of_messages_not_visible(
                    statistic="Maximum", period=_MINUTE, label="being converted"
                ),
                dead.metric_approximate_number_of_messages_visible(statistic="Maximum", period=_MINUTE, label="dead"),
            ],
        ),
        _graph(
            "Errors",
            [
                watched.of_archive(metrics.CONVERSION_FAILURES, "Sum", label="conversions"),
                watched.of_archive(metrics.PUBLICATION_FAILURES, "Sum", label="publications"),
                watched.of_archive(metrics.REQUEST_ERRORS, "Sum", label="requests"),
                watched.of_function("convert", "Errors", "Sum"),
                watched.of_function("api", "Errors", "Sum"),
                watched.of_function("convert", "Throttles", "Sum"),
            ],
        ),
    ]


def _requests(watched: Watched) -> list[cloudwatch.IWidget]:
    resources = [name for name in metrics.RESOURCES if name != metrics.Resource.STORE]

    def latency(statistic: str) -> cloudwatch.IWidget:
        whole = watched.of_archive(metrics.REQUEST_MILLISECONDS, statistic, label="all")
        each = [
            watched.of_archive(metrics.REQUEST_MILLISECONDS, statistic, resource=name, label=name) for name in resources
        ]
        return _graph(f"API, {statistic} by resource, ms", [whole, *each])

    errors = [
        watched.of_archive(metrics.REQUEST_ERRORS, "Sum", resource=name, label=name) for name in metrics.RESOURCES
    ]
    return [latency("p50"), latency("p95"), _graph("Answers 5xx by resource", errors)]


def _store(watched: Watched) -> list[cloudwatch.IWidget]:
    requests = metrics.STORE_REQUEST_MILLISECONDS
    targets = watched.target_group.metrics
    return [
        _graph("Stored by STOW-RS, bytes", [watched.of_archive(metrics.STORED_BYTES, "Sum", label="bytes")]),
        _graph(
            "STOW-RS requests, number and ms",
            [watched.of_archive(requests, "SampleCount", label="requests")],
            right=[watched.of_archive(requests, statistic, label=statistic) for statistic in ("p50", "p95")],
        ),
        _graph(
            "Tasks of the store",
            [
                targets.healthy_host_count(statistic="Minimum", label="healthy"),
                targets.un_healthy_host_count(statistic="Maximum", label="unhealthy"),
            ],
            right=[watched.of_balancer("ClientTLSNegotiationErrorCount", "Sum")],
        ),
    ]


def _parts(watched: Watched) -> list[cloudwatch.IWidget]:
    return [
        _graph(
            "Index: capacity units, connections",
            [watched.of_index("ServerlessDatabaseCapacity", "Maximum")],
            right=[watched.of_index("DatabaseConnections", "Maximum")],
        ),
        _graph(
            "CloudFront: answered by the cache, errors, %",
            [watched.of_edge("CacheHitRate", "Average"), watched.of_edge("5xxErrorRate", "Average")],
        ),
        _graph(
            "CloudFront: requests, bytes",
            [watched.of_edge("Requests", "Sum")],
            right=[watched.of_edge("BytesDownloaded", "Sum")],
        ),
    ]


def _graph(
    title: str, left: list[cloudwatch.Metric], right: list[cloudwatch.Metric] | None = None
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        width=_WIDTH,
        height=_HEIGHT,
        left=list(left),
        left_y_axis=_ZERO,
        right=list(right or []),
        right_y_axis=_ZERO,
    )
