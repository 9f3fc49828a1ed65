"""The cost model: quantities that a site needs, times list prices (cdk/cost/prices.py), as tables of lines.

Strategy: quantities come from measurements (calls and CPU of an instance: benchmarks/README.md) and from assumptions
about a site. It is a model for decisions, not an offer: no free tiers, discounts, tax or support plan. It also leaves
out the costs of observation: the store's metrics in Container Insights, flow logs and access logs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cdk.configuration.limits import FUNCTION_MEMORY_MIB, FUNCTION_STORAGE_MIB
from cdk.cost import prices
from chalicelib.metrics import METRICS, RESOURCES

MIB_PER_TIB = 1024 * 1024
_GIB_PER_TIB = 1024
_KIB_PER_GIB = 1024 * 1024

# Measured: benchmarks/README.md, "Calls and CPU per instance".
CONVERSION_PUTS = 2  # frame and metadata
PUBLICATION_PUTS = 2  # metadata of series and study
CPU_MS_PER_INSTANCE = 12  # conversion and publication, batches of 10

# Resources of the stacks; tests/infrastructure/test_cost.py compares them with the templates.
INTERFACE_ENDPOINTS = 5  # cdk/archive/network.py
FUNCTION_GB = FUNCTION_MEMORY_MIB / 1024
FUNCTION_DISK_GB = FUNCTION_STORAGE_MIB / 1024 - 0.5  # the first 512 MB cost nothing
FIREWALL_RULES = 6
KEYS = 2
SECRETS = 3
ALARMS = 23
EDGE_METRICS = 8  # "Estimate the cost for the additional CloudFront metrics", CloudFront Developer Guide
CUSTOM_METRICS = sum(1 + (len(RESOURCES) if len(metric.dimension_sets) > 1 else 0) for metric in METRICS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Assumptions; each field is an argument of the same name."""

    instances_per_month: float = 1_000_000
    stored_tib: float = 10  # received files that are kept
    instance_kib: float = 514  # a CT slice
    instances_per_study: float = 300
    series_per_study: float = 3
    batch: float = 10  # instances that one call of the function converts
    static_share: float = (
        0.6  # size of static objects relative to the received file: gzip leaves 52 to 70 % of a native frame
    )
    record_kib: float = 4  # per instance in DynamoDB, with compressed metadata
    index_kib: float = 1  # per instance in MySQL
    index_ios: float = 4  # requests to Aurora's storage per instance
    log_kib: float = 1  # per instance
    cpu_factor: float = 2  # time on Lambda relative to the measured time
    wait_ms: float = 300  # per batch, for answers of AWS
    views_per_study: float = 2  # of the studies that arrive in a month
    searches_per_view: float = 3
    cached_share: float = 0.3  # of requests: answered from CloudFront's cache
    cold_share: float = (
        0.8  # of stored bytes: in Glacier Instant Retrieval, or in the archive tier of Intelligent-Tiering
    )
    tasks: float = 2
    task_vcpu: float = 1
    task_gb: float = 2
    zones: float = 2
    index_instances: float = 2
    index_acu: float = 0.5  # of each instance, on average
    endpoint_gb: float = 20  # per month to services other than S3 and DynamoDB: logs, queue, the store's image
    managed_share: float = 0.5  # size in HealthImaging relative to the received file: lossless HTJ2K


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table."""

    service: str
    what: str
    quantity: float
    unit_price: float

    @property
    def dollars(self) -> float:
        """Price in US dollars."""
        return self.quantity * self.unit_price


def ingest(site: Site, instances: float = 1_000_000) -> list[Line]:
    """Instances that are received by STOW-RS, converted and published."""
    batches = instances / site.batch
    seconds = (site.batch * CPU_MS_PER_INSTANCE * site.cpu_factor + site.wait_ms) / 1000
    # A publication reads all records that its study has at that time: half of the final number on average.
    read_records = batches * site.instances_per_study / 2
    puts = instances * (1 + CONVERSION_PUTS) + batches * PUBLICATION_PUTS
    # A claim and a completion per instance; the documents of study and series have 2 KB each.
    writes = instances * (1 + site.record_kib) + batches * 2 * 2
    return [
        Line("S3", "objects written: received, static, aggregates", puts, prices.S3_PUT),
        Line("S3", "objects read by conversion", instances, prices.S3_GET),
        Line("SQS", "messages sent; received and deleted in batches", instances + 2 * batches, prices.SQS_REQUEST),
        Line("Lambda", "calls", batches, prices.LAMBDA_REQUEST),
        Line("Lambda", "GB-seconds of conversion", batches * seconds * FUNCTION_GB, prices.LAMBDA_GB_SECOND),
        Line("Lambda", "GB-seconds of disk", batches * seconds * FUNCTION_DISK_GB, prices.LAMBDA_DISK_GB_SECOND),
        Line("DynamoDB", "writes of 1 KB", writes, prices.DYNAMODB_WRITE),
        Line("DynamoDB", "reads of 4 KB", instances + read_records * site.record_kib / 4, prices.DYNAMODB_READ),
        Line("Aurora", "storage requests", instances * site.index_ios, prices.AURORA_IO),
        Line("NLB", "GB", instances * site.instance_kib / _KIB_PER_GIB, prices.BALANCER_CAPACITY_HOUR),
        Line("CloudWatch", "GB of logs", instances * site.log_kib / _KIB_PER_GIB, prices.LOG_GB),
    ]


def storage(site: Site) -> list[Line]:
    """One TiB of received files and the objects made from them, for a month; the cold share has been moved."""
    instances = MIB_PER_TIB * 1024 / site.instance_kib
    warm, cold = _GIB_PER_TIB * (1 - site.cold_share), _GIB_PER_TIB * site.cold_share
    static = site.static_share
    record_gb = instances * site.record_kib / _KIB_PER_GIB
    return [
        Line("S3", "received files, standard, GB", warm, prices.S3_STANDARD_GB),
        Line("S3", "received files, Glacier Instant Retrieval, GB", cold, prices.S3_GLACIER_INSTANT_GB),
        Line("S3", "static objects, read in 30 days, GB", warm * static, prices.S3_STANDARD_GB),
        Line("S3", "static objects, not read in 90, GB", cold * static, prices.S3_TIERING_ARCHIVE_INSTANT_GB),
        Line("S3", "frames watched by Intelligent-Tiering", instances, prices.S3_TIERING_MONITORED_OBJECT),
        Line("DynamoDB", "records, GB", record_gb, prices.DYNAMODB_GB),
        Line("DynamoDB", "their recovery, GB", record_gb, prices.DYNAMODB_RECOVERY_GB),
        Line("Aurora", "index, GB", instances * site.index_kib / _KIB_PER_GIB, prices.AURORA_GB),
    ]


def tiering(site: Site) -> list[Line]:
    """Moving one TiB of received files, and the frames made from them, to the colder classes; paid once."""
    instances = MIB_PER_TIB * 1024 / site.instance_kib
    return [
        Line("S3", "received files to Glacier Instant Retrieval", instances, prices.S3_TRANSITION_TO_GLACIER_INSTANT),
        Line("S3", "frames to Intelligent-Tiering", instances, prices.S3_TRANSITION_TO_TIERING),
    ]


def views(site: Site, studies: float = 1_000) -> list[Line]:
    """Studies that are searched for and read completely."""
    searches = studies * site.searches_per_view
    objects = studies * (site.instances_per_study + site.series_per_study)
    requests = searches + objects
    gigabytes = studies * site.instances_per_study * site.instance_kib * site.static_share / _KIB_PER_GIB
    return [
        Line("CloudFront", "GB to viewers", gigabytes, prices.CLOUDFRONT_GB),
        Line("CloudFront", "requests", requests, prices.CLOUDFRONT_REQUEST),
        Line("CloudFront", "function calls", requests, prices.CLOUDFRONT_FUNCTION),
        Line("WAF", "requests at the edge, and searches at the API", requests + searches, prices.WAF_REQUEST),
        Line("S3", "objects read", objects * (1 - site.cached_share), prices.S3_GET),
        Line("API Gateway", "searches", searches, prices.API_GATEWAY_REQUEST),
        Line("Lambda", "searches", searches, prices.LAMBDA_REQUEST),
        # 50 ms each, the target at a million studies (docs/search-performance.md).
        Line("Lambda", "GB-seconds of search", searches * 0.05 * FUNCTION_GB, prices.LAMBDA_GB_SECOND),
    ]


def fixed(site: Site) -> list[Line]:
    """A month without any requests."""
    hours = prices.HOURS_PER_MONTH
    return [
        Line("Aurora", "ACU-hours", site.index_instances * site.index_acu * hours, prices.AURORA_ACU_HOUR),
        Line("Fargate", "vCPU-hours", site.tasks * site.task_vcpu * hours, prices.FARGATE_VCPU_HOUR),
        Line("Fargate", "GB-hours", site.tasks * site.task_gb * hours, prices.FARGATE_GB_HOUR),
        Line("NLB", "hours", hours, prices.BALANCER_HOUR),
        Line("NLB", "hours of public addresses", site.zones * hours, prices.PUBLIC_ADDRESS_HOUR),
        *endpoints(site),
        Line("WAF", "firewalls", 2, prices.WAF_ACL),
        Line("WAF", "rules", FIREWALL_RULES, prices.WAF_RULE),
        Line("KMS", "keys", KEYS, prices.KMS_KEY),
        Line("Secrets Manager", "secrets", SECRETS, prices.SECRET),
        Line("CloudWatch", "alarms", ALARMS, prices.ALARM),
        Line(
            "CloudWatch", "metrics of the archive, and CloudFront's own", CUSTOM_METRICS + EDGE_METRICS, prices.METRIC
        ),
    ]


def endpoints(site: Site) -> list[Line]:
    """The network's interface endpoints, for a month. The gateways to S3 and DynamoDB cost nothing."""
    zone_hours = INTERFACE_ENDPOINTS * site.zones * prices.HOURS_PER_MONTH
    return [
        Line("VPC", "hours of interface endpoints", zone_hours, prices.ENDPOINT_HOUR),
        Line("VPC", "GB through them", site.endpoint_gb, prices.ENDPOINT_GB),
    ]


def nat(site: Site) -> list[Line]:
    """NAT gateways in each zone in place of the interface endpoints, with the same gateways to S3 and DynamoDB."""
    zone_hours = site.zones * prices.HOURS_PER_MONTH
    return [
        Line("VPC", "hours of NAT gateways", zone_hours, prices.NAT_HOUR),
        Line("VPC", "hours of their public addresses", zone_hours, prices.PUBLIC_ADDRESS_HOUR),
        Line("VPC", "GB through them", site.endpoint_gb, prices.NAT_GB),
    ]


def month(site: Site) -> list[Line]:
    """A complete month of the site, by group of costs."""
    studies = site.instances_per_month / site.instances_per_study * site.views_per_study
    return [
        Line("archive", "instances received", site.instances_per_month / 1e6, total(ingest(site))),
        Line("archive", "TiB moved to colder classes", received_tib(site), total(tiering(site))),
        Line("archive", "TiB kept", site.stored_tib, total(storage(site))),
        Line("archive", "thousands of studies viewed", studies / 1e3, total(views(site))),
        Line("archive", "fixed", 1, total(fixed(site))),
    ]


def received_tib(site: Site) -> float:
    """TiB that arrive in a month."""
    return site.instances_per_month * site.instance_kib / 1024 / MIB_PER_TIB


def managed(site: Site) -> list[Line]:
    """The same month in AWS HealthImaging, with CloudFront delivering the frames; without search and viewer."""
    gigabytes = site.stored_tib * _GIB_PER_TIB * site.managed_share
    studies = site.instances_per_month / site.instances_per_study * site.views_per_study
    # One request per frame, and one for the metadata of a study.
    requests = studies * (site.instances_per_study + 1)
    sent = studies * site.instances_per_study * site.instance_kib * site.managed_share / _KIB_PER_GIB
    return [
        Line(
            "HealthImaging", "frequent access, GB", gigabytes * (1 - site.cold_share), prices.HEALTHIMAGING_FREQUENT_GB
        ),
        Line("HealthImaging", "archive access, GB", gigabytes * site.cold_share, prices.HEALTHIMAGING_ARCHIVE_GB),
        Line("HealthImaging", "requests", requests, prices.HEALTHIMAGING_REQUEST),
        Line("CloudFront", "GB to viewers", sent, prices.CLOUDFRONT_GB),
    ]


def total(lines: Sequence[Line]) -> float:
    """Sum in US dollars."""
    return sum(line.dollars for line in lines)
