"""The settings of a deployment: their types, their defaults, and the messages about wrong values."""

from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cdk.configuration.values import (
    RETENTION_DAYS,
    Arn,
    Capacity,
    Cidr,
    Fqdn,
    RetentionDays,
    RootUrl,
    TagName,
    TagValue,
    certificate_region,
    fargate_problem,
    subnet_problem,
)
from cdk.project import PROJECT

_DAY_SECONDS = 24 * 60 * 60
_YEAR_SECONDS = 365 * _DAY_SECONDS

CERTIFICATE_REGION = "us-east-1"
"""The only region from which CloudFront accepts certificates and web ACLs."""


def _setting(expected: str, example: str, **constraints: Any) -> Any:
    """A field with the text that error messages use: what it expects, and an example in TOML."""
    return Field(description=expected, json_schema_extra={"example": example}, **constraints)


class Deployment(BaseModel):
    """The settings of one archive in AWS. ``deployment.example.toml`` explains each of them.

    Raises
    ------
    pydantic.ValidationError
        If a setting is missing, unknown or invalid, or two settings contradict each other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, regex_engine="python-re")

    name: str = _setting(
        "3 to 32 lower-case letters, digits and hyphens, beginning with a letter",
        'name = "static-dicomweb"',
        default="static-dicomweb",
        pattern=r"^[a-z](-?[a-z0-9]){2,31}$",
        max_length=32,
    )
    account: str = _setting(
        "the 12 digits of the AWS account, in quotes", 'account = "123456789012"', pattern=r"^\d{12}$"
    )
    region: str = _setting(
        f"an AWS region in the partition of {CERTIFICATE_REGION} (not China, not GovCloud)",
        'region = "eu-central-1"',
        pattern=r"^(?!cn-|us-gov-|us-iso|eu-iso)[a-z]{2}(-[a-z]+)+-\d$",
    )
    stow_fqdn: Fqdn = _setting("a fully qualified domain name", 'stow_fqdn = "stow.archive.example.org"')
    certificate_arn: Arn = _setting(
        "the ARN of an ACM certificate for stow_fqdn, in the deployment's region and account",
        'certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/…"',
    )
    viewer_fqdn: Fqdn | None = _setting(
        "a fully qualified domain name", 'viewer_fqdn = "archive.example.org"', default=None
    )
    viewer_certificate_arn: Arn | None = _setting(
        f"the ARN of an ACM certificate for viewer_fqdn, in {CERTIFICATE_REGION}: CloudFront accepts no other region",
        'viewer_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/…"',
        default=None,
    )
    dicomweb_root: RootUrl = _setting(
        "an absolute URL, or a path that begins with a slash; without a slash at the end",
        'dicomweb_root = "https://archive.example.org/dicomweb"',
        default="",
    )
    vpc_cidr: Cidr = _setting(
        "a private IPv4 network of /16 to /24", 'vpc_cidr = "10.20.0.0/16"', default="10.20.0.0/16"
    )
    availability_zones: int = _setting("2 or 3", "availability_zones = 2", default=2, ge=2, le=3)
    allowed_cidrs: tuple[Cidr, ...] = _setting(
        "a list of IPv4 networks", 'allowed_cidrs = ["198.51.100.0/24"]', default=(), strict=False
    )
    edge_allowed_cidrs: tuple[Cidr, ...] = _setting(
        "a list of IPv4 networks", 'edge_allowed_cidrs = ["198.51.100.0/24"]', default=(), strict=False
    )
    rate_limit_per_5_minutes: int = _setting(
        "a number of requests, 100 to 2000000000, the range that AWS WAF accepts",
        "rate_limit_per_5_minutes = 60000",
        default=60_000,
        ge=100,
        le=2_000_000_000,
    )
    store_cpu: int = _setting("a CPU size of Fargate: 256, 512, 1024, 2048 or 4096", "store_cpu = 1024", default=1024)
    store_memory_mib: int = _setting(
        "a memory size in MiB that Fargate offers with store_cpu", "store_memory_mib = 2048", default=2048
    )
    store_min_tasks: int = _setting("1 to 100", "store_min_tasks = 2", default=2, ge=1, le=100)
    store_max_tasks: int = _setting(
        "1 to 100, and at least store_min_tasks", "store_max_tasks = 10", default=10, ge=1, le=100
    )
    store_image: str | None = _setting(
        "a container image with its tag or digest",
        'store_image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/stow:1.2"',
        default=None,
        min_length=3,
    )
    aurora_min_acu: Capacity = _setting(
        "0 (sleeps when unused), or 0.5 to 256 capacity units in steps of 0.5", "aurora_min_acu = 0.5", default=0.5
    )
    aurora_max_acu: Capacity = _setting(
        "1 to 256 capacity units in steps of 0.5, at least aurora_min_acu", "aurora_max_acu = 8", default=8, ge=1
    )
    aurora_instances: int = _setting("1 to 3", "aurora_instances = 2", default=2, ge=1, le=3)
    landing_cold_after_days: int | None = _setting(
        "a number of days, 1 or more (the storage class is always Glacier Instant Retrieval: instances are read from "
        "the landing bucket at any time, which slower classes do not allow)",
        "landing_cold_after_days = 90",
        default=None,
        ge=1,
    )
    static_intelligent_tiering_after_days: int | None = _setting(
        "a number of days, 0 or more", "static_intelligent_tiering_after_days = 0", default=None, ge=0
    )
    edge_default_ttl_seconds: int = _setting(
        "seconds, 0 to 31536000 (a year)", "edge_default_ttl_seconds = 0", default=0, ge=0, le=_YEAR_SECONDS
    )
    edge_max_ttl_seconds: int = _setting(
        "seconds, 1 to 31536000 (a year), at least edge_default_ttl_seconds",
        "edge_max_ttl_seconds = 31536000",
        default=_YEAR_SECONDS,
        ge=1,
        le=_YEAR_SECONDS,
    )
    preflight_ttl_seconds: int = _setting(
        "seconds, 0 to 86400", "preflight_ttl_seconds = 86400", default=_DAY_SECONDS, ge=0, le=_DAY_SECONDS
    )
    viewer_ttl_seconds: int = _setting(
        "seconds, 0 to 31536000", "viewer_ttl_seconds = 3600", default=3600, ge=0, le=_YEAR_SECONDS
    )
    convert_max_concurrency: int = _setting(
        "2 to 1000; Lambda accepts no smaller limit for a queue, and one converter at a time could not keep up",
        "convert_max_concurrency = 50",
        default=50,
        ge=2,
        le=1000,
    )
    log_retention_days: RetentionDays = _setting(
        f"a period in days that CloudWatch Logs offers: {', '.join(map(str, RETENTION_DAYS))}",
        "log_retention_days = 365",
        default=365,
    )
    alarm_email: str | None = _setting(
        "an e-mail address",
        'alarm_email = "pacs-admin@example.org"',
        default=None,
        pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    )
    deletion_protection: bool = _setting("true or false", "deletion_protection = true", default=True)
    database_tls: Literal["verified", "required"] = _setting(
        '"verified", or "required" (encrypted, but the server\'s certificate is not checked: for an emulator)',
        'database_tls = "verified"',
        default="verified",
    )
    database_ca_file: str | None = _setting(
        "the path in this repository of a PEM file below chalicelib/",
        'database_ca_file = "chalicelib/certificates/region.pem"',
        default=None,
        pattern=r"^chalicelib/[A-Za-z0-9_./-]+\.pem$",
    )
    cloudfront_prefix_list_id: str | None = _setting(
        "the id of the managed prefix list com.amazonaws.global.cloudfront.origin-facing in the region",
        'cloudfront_prefix_list_id = "pl-0123456789abcdef0"',
        default=None,
        pattern=r"^pl-[0-9a-f]{8,17}$",
    )
    tags: dict[TagName, TagValue] = _setting(
        "a text for each name; both consist of letters, digits, spaces and _.:/=+-@, and a name must not begin with "
        "aws:",
        '[tags]\nCostCenter = "radiology"',
        default={},
    )

    @model_validator(mode="before")
    @classmethod
    def _derive_root(cls, values: Any) -> Any:
        if isinstance(values, dict) and not values.get("dicomweb_root"):
            viewer = values.get("viewer_fqdn")
            return {**values, "dicomweb_root": f"https://{viewer}/dicomweb" if viewer else "/dicomweb"}
        return values

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = list(self._contradictions())
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def landing_queue_name(self) -> str:
        """Name of the landing bucket's queue; not generated, because Chalice needs it to declare its functions."""
        return f"{self.name}-landing"

    def _contradictions(self) -> Iterator[str]:
        if certificate_region(self.certificate_arn) != self.region:
            yield _but_expected(
                "certificate_arn", self.certificate_arn, f"a certificate in {self.region}, the load balancer's region"
            )
        if any(network.endswith("/0") for network in self.edge_allowed_cidrs):
            yield "edge_allowed_cidrs contains a network of all addresses, which AWS WAF refuses: leave the list out"
        if (self.viewer_fqdn is None) != (self.viewer_certificate_arn is None):
            yield "viewer_fqdn and viewer_certificate_arn: set both or neither"
        viewer_certificate = self.viewer_certificate_arn
        if viewer_certificate and certificate_region(viewer_certificate) != CERTIFICATE_REGION:
            yield _but_expected(
                "viewer_certificate_arn",
                viewer_certificate,
                f"a certificate in {CERTIFICATE_REGION} (CloudFront accepts no other region)",
            )
        if self.viewer_fqdn == self.stow_fqdn:
            yield "viewer_fqdn and stow_fqdn: two different names are needed, for CloudFront and for the load balancer"
        if self.store_max_tasks < self.store_min_tasks:
            yield f"store_max_tasks is {self.store_max_tasks}, less than store_min_tasks ({self.store_min_tasks})"
        if self.aurora_max_acu < self.aurora_min_acu:
            yield f"aurora_max_acu is {self.aurora_max_acu}, less than aurora_min_acu ({self.aurora_min_acu})"
        if self.edge_max_ttl_seconds < self.edge_default_ttl_seconds:
            yield "edge_max_ttl_seconds is less than edge_default_ttl_seconds"
        if self.database_ca_file and not (PROJECT / self.database_ca_file).is_file():
            yield _but_expected("database_ca_file", self.database_ca_file, "an existing file")
        yield from filter(None, (fargate_problem(self.store_cpu, self.store_memory_mib), subnet_problem(self.vpc_cidr)))


def _but_expected(field: str, value: str, expected: str) -> str:
    return f'{field} is "{value}": {expected} is expected'
