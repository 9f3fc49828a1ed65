"""The cost model against sums by hand, and against the resources of the templates."""

from collections.abc import Mapping

import pytest

from cdk.cost import __main__ as cost
from cdk.cost import model, prices
from cdk.cost.model import Line, Site, total
from cdk.project import PROJECT
from tests.infrastructure.support.parts import of_type
from tests.infrastructure.support.synthesis import Template

# Round figures: 1024 instances of 1 MiB are a GB, and a study.
ROUND = Site(
    instances_per_month=1_000_000,
    stored_tib=1,
    instance_kib=1024,
    instances_per_study=1024,
    series_per_study=1,
    batch=10,
    static_share=0.5,
    record_kib=4,
    index_kib=1,
    index_ios=4,
    log_kib=1,
    cpu_factor=2,
    wait_ms=260,
    views_per_study=1,
    searches_per_view=1,
    cached_share=0.5,
    cold_share=0.5,
    endpoint_gb=100,
    managed_share=0.5,
)


def dollars(lines: list[Line], service: str, what: str = "") -> float:
    found = [line.dollars for line in lines if line.service == service and line.what.startswith(what)]
    assert found, (service, what)
    return sum(found)


def test_a_million_instances_received() -> None:
    lines = model.ingest(ROUND)
    # 1 landing object + 2 static objects an instance, 2 aggregates a batch of 10: 3.2 million at $0.005 a thousand.
    assert dollars(lines, "S3", "objects written") == pytest.approx(16.00)
    assert dollars(lines, "S3", "objects read") == pytest.approx(0.40)
    # Sent one by one, received and deleted by ten: 1.2 million at $0.40.
    assert dollars(lines, "SQS") == pytest.approx(0.48)
    # 100,000 batches of 10 * 12 ms * 2 + 260 ms = 0.5 s, at 1769/1024 GB: 86,377 GB-s.
    assert dollars(lines, "Lambda", "GB-seconds of conversion") == pytest.approx(1.43962, abs=1e-4)
    # A claim, a completion of 4 KB, and 4 KB of documents a batch: 5.4 million at $0.625.
    assert dollars(lines, "DynamoDB", "writes") == pytest.approx(3.375)
    # One record an instance when it is stored; half the study's 1024 records a batch: 52.2 million at $0.125.
    assert dollars(lines, "DynamoDB", "reads") == pytest.approx(6.525)
    assert dollars(lines, "Aurora") == pytest.approx(0.80)
    # 976.56 GB.
    assert dollars(lines, "NLB") == pytest.approx(5.859375)


def test_a_tib_for_a_month() -> None:
    lines = model.storage(ROUND)
    # 512 GB at $0.023 and 512 GB at $0.004; the static objects are half as large.
    assert dollars(lines, "S3", "received files, standard") == pytest.approx(11.776)
    assert dollars(lines, "S3", "received files, Glacier") == pytest.approx(2.048)
    assert dollars(lines, "S3", "static objects, read") == pytest.approx(5.888)
    assert dollars(lines, "S3", "static objects, not read") == pytest.approx(1.024)
    # 1,048,576 frames at $0.0025 a thousand.
    assert dollars(lines, "S3", "frames watched") == pytest.approx(2.62144)
    # 4 GB of records, and their recovery.
    assert dollars(lines, "DynamoDB") == pytest.approx(1.80)


def test_moving_a_tib_to_colder_classes_is_paid_once() -> None:
    # 1,048,576 objects at $0.02, and as many at $0.01, a thousand.
    assert total(model.tiering(ROUND)) == pytest.approx(31.45728)


def test_a_thousand_studies_viewed() -> None:
    lines = model.views(ROUND)
    # 500 GB; 1,000 searches, 1,024,000 frames and 1,000 metadata.
    assert dollars(lines, "CloudFront", "GB") == pytest.approx(42.5)
    assert dollars(lines, "CloudFront", "requests") == pytest.approx(1.026)
    assert dollars(lines, "CloudFront", "function") == pytest.approx(0.1026)
    assert dollars(lines, "S3") == pytest.approx(0.205)
    assert dollars(lines, "API Gateway") == pytest.approx(0.0035)


def test_an_idle_month() -> None:
    lines = model.fixed(ROUND)
    # Two instances of 0.5 ACU: 730 ACU-hours at $0.12.
    assert dollars(lines, "Aurora") == pytest.approx(87.60)
    # Two tasks with one vCPU and 2 GB.
    assert dollars(lines, "Fargate") == pytest.approx(59.1008 + 12.9794)
    assert dollars(lines, "NLB") == pytest.approx(16.425 + 7.30)
    # 29 metrics of the archive and 8 additional ones of CloudFront, at $0.30.
    assert dollars(lines, "CloudWatch", "metrics") == pytest.approx((model.CUSTOM_METRICS + 8) * 0.30)


def test_endpoints_and_nat_are_compared_with_the_same_traffic() -> None:
    # Five endpoints in two zones, and 100 GB at a cent; two gateways with an address each, and 100 GB at 4.5 cents.
    assert total(model.endpoints(ROUND)) == pytest.approx(73.00 + 1.00)
    assert total(model.nat(ROUND)) == pytest.approx(65.70 + 7.30 + 4.50)


def test_the_managed_service() -> None:
    lines = model.managed(ROUND)
    # 512 GB, half of them in each tier.
    assert dollars(lines, "HealthImaging", "frequent") == pytest.approx(26.88)
    assert dollars(lines, "HealthImaging", "archive") == pytest.approx(1.536)
    # 976.5625 studies of 1,024 frames and one document, at $0.005 a thousand.
    assert dollars(lines, "HealthImaging", "requests") == pytest.approx(5.0048828)


def test_a_month_is_the_sum_of_its_parts() -> None:
    studies = 1_000_000 / 1024
    expected = (
        total(model.ingest(ROUND))
        + total(model.tiering(ROUND)) * 1_000_000 / 1024 / 1024
        + total(model.storage(ROUND))
        + total(model.views(ROUND, studies))
        + total(model.fixed(ROUND))
    )
    assert total(model.month(ROUND)) == pytest.approx(expected)


def test_the_table_is_readable_and_has_its_sum() -> None:
    assert cost.table("Title", [Line("S3", "objects", 1_500, 0.001), Line("KMS", "keys", 2, 1)]).splitlines() == [
        "**Title**",
        "",
        "| service | what | quantity | USD |",
        "|---|---|--:|--:|",
        "| S3 | objects | 1,500 | 1.50 |",
        "| KMS | keys | 2 | 2.00 |",
        "| **sum** | | | **3.50** |",
    ]


def test_every_assumption_is_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert cost.main(["--stored-tib", "7", "--instance-kib", "1024"]) == 0
    printed = capsys.readouterr().out
    assert "stored tib 7" in printed
    assert "instance kib 1024" in printed


def test_measured_figures_are_those_of_the_benchmarks() -> None:
    text = (PROJECT / "benchmarks" / "README.md").read_text().replace("\n", " ")
    assert "GetObject, PutItem (the claim), PutObject twice (frame and metadata) and UpdateItem" in text
    assert model.CONVERSION_PUTS == 2
    # Rows of batches of 10: calls 5.00, CPU 8.6 to 9.2 ms, and 2.6 to 5.5 ms of publication.
    assert "| 200 | 10 | 5.00 | 8.8 | 4.00 | 3.1 |" in text
    assert pytest.approx(8.8 + 3.1, abs=0.2) == model.CPU_MS_PER_INSTANCE


def test_what_the_model_counts_is_what_the_stacks_make(templates: Mapping[str, Template]) -> None:
    def count(kind: str) -> int:
        return sum(
            resource["Type"] == kind for template in templates.values() for resource in template["Resources"].values()
        )

    endpoints = of_type(templates["index"], "AWS::EC2::VPCEndpoint").values()
    interfaces = [endpoint for endpoint in endpoints if endpoint.get("VpcEndpointType") == "Interface"]
    rules = [
        rule
        for part in ("firewall", "edge")
        for web_acl in of_type(templates[part], "AWS::WAFv2::WebACL").values()
        for rule in web_acl["Rules"]
    ]
    assert len(interfaces) == model.INTERFACE_ENDPOINTS
    assert len(rules) == model.FIREWALL_RULES
    assert count("AWS::KMS::Key") == model.KEYS
    assert count("AWS::SecretsManager::Secret") == model.SECRETS
    assert count("AWS::CloudWatch::Alarm") == model.ALARMS
    assert prices.HOURS_PER_MONTH == 730
