"""Alarms, dashboard and logs: each alarm notifies somebody and says what to do."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from cdk.archive.aurora_connections import max_connections
from cdk.operations.stack import LOGGED_FIELDS
from cdk.operations.watch import GUIDE
from cdk.project import PROJECT
from chalicelib.metrics import METRICS, NAMESPACE, RESOURCES
from tests.infrastructure.support.parts import deployment, of_type, only
from tests.infrastructure.support.synthesis import NAME, Template

ALARM = "AWS::CloudWatch::Alarm"


@pytest.fixture(scope="module")
def alarms(templates: Mapping[str, Template]) -> dict[str, tuple[Template, dict[str, Any]]]:
    """Alarms of both stacks, by logical id, each with its template."""
    return {
        name: (template, alarm)
        for part in ("operations", "edge-operations")
        for template in [templates[part]]
        for name, alarm in of_type(template, ALARM).items()
    }


def alarm_named(alarms: Mapping[str, tuple[Template, dict[str, Any]]], prefix: str) -> dict[str, Any]:
    [found] = [alarm for name, (_, alarm) in alarms.items() if name.startswith(prefix)]
    return found


def headings() -> set[str]:
    return set(re.findall(r"^#+ (.*)$", (PROJECT / GUIDE).read_text(encoding="utf-8"), re.MULTILINE))


def test_every_alarm_tells_the_topic_of_its_region_when_it_begins_and_ends(
    alarms: Mapping[str, tuple[Template, dict[str, Any]]],
) -> None:
    for template, alarm in alarms.values():
        [topic] = of_type(template, "AWS::SNS::Topic")
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]


def test_every_alarm_says_what_it_means_and_which_section_says_what_to_do(
    alarms: Mapping[str, tuple[Template, dict[str, Any]]],
) -> None:
    for name, (_, alarm) in alarms.items():
        described = re.fullmatch(r"(.+\.) What to do: (\S+), section '(.+)'\.", alarm["AlarmDescription"])
        assert described, name
        assert described[2] == GUIDE
        assert described[3] in headings(), name


def test_one_dead_letter_is_enough_for_an_alarm(alarms: Mapping[str, tuple[Template, dict[str, Any]]]) -> None:
    alarm = alarm_named(alarms, "DeadLetters")
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (1, 1, "Maximum")
    assert "DeadLetter" in json.dumps(alarm["Dimensions"])


def test_a_store_that_tells_nothing_counts_as_gone(alarms: Mapping[str, tuple[Template, dict[str, Any]]]) -> None:
    assert alarm_named(alarms, "StoreHasNoTask")["TreatMissingData"] == "breaching"
    assert alarm_named(alarms, "QueueAge")["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    "part",
    [
        "DeadLetters",
        "QueueAge",
        "ConvertErrors",
        "ConvertThrottles",
        "ConvertDuration",
        "PublicationFailures",
        "InstancesRejected",
        "ApiErrors",
        "ApiDuration",
        "StoreHasNoTask",
        "StoreUnhealthyTask",
        "StoreTlsErrors",
        "StoreCertificate",
        "IndexCpu",
        "IndexCapacity",
        "IndexConnections",
        "IndexStorage",
        "EdgeErrors",
        "EdgeCertificate",
    ],
)
def test_it_is_watched(alarms: Mapping[str, tuple[Template, dict[str, Any]]], part: str) -> None:
    assert [name for name in alarms if part in name]


def test_a_busy_writer_is_not_hidden_by_an_idle_reader(
    alarms: Mapping[str, tuple[Template, dict[str, Any]]],
) -> None:
    # Only the writer serves searches and publications; the cluster's metric is an average over its instances.
    dimensions = alarm_named(alarms, "IndexCpu")["Dimensions"]
    assert {"Name": "Role", "Value": "WRITER"} in dimensions
    assert {dimension["Name"] for dimension in dimensions} == {"DBClusterIdentifier", "Role"}


def test_cloudfront_is_watched_where_it_has_its_metrics(
    alarms: Mapping[str, tuple[Template, dict[str, Any]]], templates: Mapping[str, Template]
) -> None:
    [errors] = [
        alarm
        for alarm in of_type(templates["edge-operations"], ALARM).values()
        if alarm.get("Namespace") == "AWS/CloudFront"
    ]
    assert errors["MetricName"] == "5xxErrorRate"
    assert {dimension["Name"] for dimension in errors["Dimensions"]} == {"DistributionId", "Region"}
    assert not [
        alarm
        for alarm in of_type(templates["operations"], ALARM).values()
        if alarm.get("Namespace") == "AWS/CloudFront"
    ]


@pytest.mark.parametrize("part", ["operations", "edge-operations"])
def test_topics_are_encrypted_and_take_messages_over_tls_only(templates: Mapping[str, Template], part: str) -> None:
    assert only(templates[part], "AWS::SNS::Topic")["KmsMasterKeyId"]
    statements = only(templates[part], "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    refused = [statement["Condition"] for statement in statements if statement["Effect"] == "Deny"]
    assert refused == [{"Bool": {"aws:SecureTransport": "false"}}]
    assert only(templates[part], "AWS::SNS::Subscription")["Endpoint"] == "pacs-admin@example.org"


def dashboard_metrics(templates: Mapping[str, Template]) -> list[list[Any]]:
    """Each metric in the dashboard's body: namespace, name, dimensions, options."""
    body = only(templates["operations"], "AWS::CloudWatch::Dashboard")["DashboardBody"]
    # References to other resources stand between pieces of the text.
    parts = body["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "REFERENCE" for part in parts)
    return [metric for widget in json.loads(text)["widgets"] for metric in widget["properties"].get("metrics", [])]


def test_the_dashboard_shows_every_metric_of_the_archive(templates: Mapping[str, Template]) -> None:
    shown = {metric[1] for metric in dashboard_metrics(templates) if metric[0] == NAMESPACE}
    assert shown == {metric.name for metric in METRICS}


def test_the_dashboard_shows_the_time_of_each_resource(templates: Mapping[str, Template]) -> None:
    shown = {
        (metric[metric.index("Resource") + 1], metric[-1]["stat"])
        for metric in dashboard_metrics(templates)
        if metric[1] == "RequestMilliseconds" and "Resource" in metric
    }
    assert shown == {(name, statistic) for name in RESOURCES if name != "Store" for statistic in ("p50", "p95")}


def test_metrics_are_of_this_archive(templates: Mapping[str, Template]) -> None:
    for metric in dashboard_metrics(templates):
        if metric[0] == NAMESPACE:
            assert metric[metric.index("Archive") + 1] == NAME


@pytest.mark.parametrize(
    ("name", "namespace"),
    [
        ("ApproximateAgeOfOldestMessage", "AWS/SQS"),
        ("ApproximateNumberOfMessagesVisible", "AWS/SQS"),
        ("Errors", "AWS/Lambda"),
        ("ServerlessDatabaseCapacity", "AWS/RDS"),
        ("CacheHitRate", "AWS/CloudFront"),
        ("HealthyHostCount", "AWS/NetworkELB"),
    ],
)
def test_the_dashboard_shows_what_of_the_services_is_in_use(
    templates: Mapping[str, Template], name: str, namespace: str
) -> None:
    assert [namespace, name] in [metric[:2] for metric in dashboard_metrics(templates)]


def test_cloudfront_gives_the_metric_of_its_cache(templates: Mapping[str, Template]) -> None:
    subscription = only(templates["edge"], "AWS::CloudFront::MonitoringSubscription")["MonitoringSubscription"]
    assert subscription["RealtimeMetricsSubscriptionConfig"]["RealtimeMetricsSubscriptionStatus"] == "Enabled"


def test_access_logs_hold_no_query_no_referrer_and_no_cookie(templates: Mapping[str, Template]) -> None:
    fields = only(templates["edge-operations"], "AWS::Logs::Delivery")["RecordFields"]
    assert fields == list(LOGGED_FIELDS)
    assert not {"cs-uri-query", "cs(Referer)", "cs(Cookie)"} & set(fields)
    assert "cs-uri-stem" in fields


def test_the_log_bucket_takes_cloudfronts_logs_of_this_account_only(templates: Mapping[str, Template]) -> None:
    statements = [
        statement
        for policy in of_type(templates["storage"], "AWS::S3::BucketPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement.get("Sid") == "CloudFrontLogs"
    ]
    [statement] = statements
    assert statement["Principal"] == {"Service": "delivery.logs.amazonaws.com"}
    assert ":delivery-source:*" in json.dumps(statement["Condition"]["ArnLike"])


@pytest.mark.parametrize(
    ("minimum", "maximum", "connections"),
    [(0.5, 1, 90), (1, 8, 1000), (1, 12, 1000), (2, 64, 4000), (0.5, 64, 2000), (0, 16, 2000), (1, 256, 6000)],
)
def test_connections_of_the_index_are_known_from_its_capacity(minimum: float, maximum: float, connections: int) -> None:
    assert max_connections(deployment(aurora_min_acu=minimum, aurora_max_acu=maximum)) == connections
