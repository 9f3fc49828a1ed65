"""The CloudWatch metrics of one archive, which alarms and dashboard use."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_sqs as sqs

from cdk.configuration.deployment import CERTIFICATE_REGION
from chalicelib.metrics import ARCHIVE, NAMESPACE, RESOURCE
from chalicelib.metrics import Metric as ArchiveMetric

FIVE_MINUTES = Duration.minutes(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Names and constructs of the archive's parts that have metrics.

    `functions` are the functions' names in AWS, by their names in this project.
    """

    archive: str
    functions: Mapping[str, str]
    api_name: str
    api_stage: str
    queue: sqs.IQueue
    dead_letter_queue: sqs.IQueue
    cluster: str
    load_balancer: elbv2.NetworkLoadBalancer
    target_group: elbv2.NetworkTargetGroup
    distribution_id: str

    def of_archive(
        self,
        metric: ArchiveMetric,
        statistic: str,
        *,
        resource: str | None = None,
        period: Duration = FIVE_MINUTES,
        label: str | None = None,
    ) -> cloudwatch.Metric:
        """One of the archive's own metrics (``chalicelib/metrics.py``)."""
        dimensions = {ARCHIVE: self.archive} | ({RESOURCE: resource} if resource else {})
        return _metric(NAMESPACE, metric.name, dimensions, statistic, period=period, label=label)

    def of_function(self, name: str, metric: str, statistic: str) -> cloudwatch.Metric:
        """A metric of Lambda."""
        return _metric(
            "AWS/Lambda", metric, {"FunctionName": self.functions[name]}, statistic, label=f"{name} {metric}"
        )

    def of_api(self, metric: str, statistic: str) -> cloudwatch.Metric:
        """A metric of API Gateway."""
        return _metric("AWS/ApiGateway", metric, {"ApiName": self.api_name, "Stage": self.api_stage}, statistic)

    def of_index(self, metric: str, statistic: str) -> cloudwatch.Metric:
        """A metric of Aurora, over all instances of the cluster."""
        return _metric("AWS/RDS", metric, {"DBClusterIdentifier": self.cluster}, statistic)

    def of_writer(self, metric: str, statistic: str) -> cloudwatch.Metric:
        """A metric of Aurora's writer, which does all the work: an average with an idle reader would hide its load."""
        return _metric("AWS/RDS", metric, {"DBClusterIdentifier": self.cluster, "Role": "WRITER"}, statistic)

    def of_balancer(self, metric: str, statistic: str) -> cloudwatch.Metric:
        """A metric of the load balancer."""
        return self.load_balancer.metrics.custom(metric, statistic=statistic, period=FIVE_MINUTES)

    def of_edge(self, metric: str, statistic: str) -> cloudwatch.Metric:
        """A metric of CloudFront, which publishes all of them in one region."""
        dimensions = {"DistributionId": self.distribution_id, "Region": "Global"}
        return _metric("AWS/CloudFront", metric, dimensions, statistic, region=CERTIFICATE_REGION)


def days_to_expiry(certificate_arn: str) -> cloudwatch.Metric:
    """Days until an ACM certificate expires; the metric exists in the certificate's region only."""
    return _metric(
        "AWS/CertificateManager",
        "DaysToExpiry",
        {"CertificateArn": certificate_arn},
        "Minimum",
        period=Duration.days(1),
    )


def _metric(
    namespace: str,
    name: str,
    dimensions: dict[str, str],
    statistic: str,
    *,
    period: Duration = FIVE_MINUTES,
    label: str | None = None,
    region: str | None = None,
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=period,
        label=label,
        region=region,
    )
