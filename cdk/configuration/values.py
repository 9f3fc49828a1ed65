"""Types of the values in a deployment's configuration, and checks of values that depend on each other."""

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, Field

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_CERTIFICATE = re.compile(r"arn:aws[a-z-]*:acm:(?P<region>[a-z0-9-]+):\d{12}:certificate/[0-9a-f-]{36}")
_ROOT = re.compile(r"(https?://[A-Za-z0-9.:-]+)?(/[A-Za-z0-9_.-]+)*")

RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""The retention periods that CloudWatch Logs offers."""

_GIB = 1024
_FARGATE_MEMORY_MIB = {
    256: (512, 1 * _GIB, 2 * _GIB),
    512: tuple(range(1 * _GIB, 4 * _GIB + 1, _GIB)),
    1024: tuple(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
    2048: tuple(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
    4096: tuple(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
}
"""Memory sizes by CPU units (1024 are one vCPU), as the ECS developer guide lists them for Linux."""


def _certificate_arn(value: str) -> str:
    if not _CERTIFICATE.fullmatch(value):
        raise ValueError("this is not the ARN of a certificate")
    return value


def certificate_region(arn: str) -> str:
    """Region in a certificate's ARN; empty if the text is not such an ARN."""
    match = _CERTIFICATE.fullmatch(arn)
    return match["region"] if match else ""


def _network(value: str) -> str:
    try:
        return str(ipaddress.IPv4Network(value))
    except ValueError as error:
        raise ValueError(f"this is not an IPv4 network ({error})") from error


def _root(value: str) -> str:
    if not value or not _ROOT.fullmatch(value):
        raise ValueError("this is neither a URL nor a path that begins with a slash")
    return value


def _half_steps(value: float) -> float:
    if value * 2 != int(value * 2):
        raise ValueError("this is not a multiple of 0.5")
    return value


def _retention(value: int) -> int:
    if value not in RETENTION_DAYS:
        raise ValueError("CloudWatch Logs does not offer this period")
    return value


Fqdn = Annotated[str, Field(pattern=rf"^({_LABEL}\.)+[a-z]{{2,63}}$", max_length=253)]
Arn = Annotated[str, AfterValidator(_certificate_arn)]
Cidr = Annotated[str, AfterValidator(_network)]
RootUrl = Annotated[str, AfterValidator(_root)]
Capacity = Annotated[float, Field(ge=0, le=256), AfterValidator(_half_steps)]
RetentionDays = Annotated[int, AfterValidator(_retention)]
# The characters that all services accept. RDS and IAM refuse others, but only when their resources are created.
TagName = Annotated[str, Field(pattern=r"^(?!aws:)[\w .:/=+@-]{1,128}$")]
TagValue = Annotated[str, Field(pattern=r"^[\w .:/=+@-]{0,256}$")]


def fargate_problem(cpu: int, memory_mib: int) -> str | None:
    """Explain why Fargate has no task of this size; None if it has."""
    choices = _FARGATE_MEMORY_MIB.get(cpu)
    if choices is None:
        return f"store_cpu is {cpu}: one of {', '.join(map(str, _FARGATE_MEMORY_MIB))} is expected"
    if memory_mib not in choices:
        return (
            f"store_memory_mib is {memory_mib}: with store_cpu {cpu}, one of "
            f"{', '.join(map(str, choices))} is expected, for example store_memory_mib = {choices[0]}"
        )
    return None


def subnet_problem(vpc_cidr: str) -> str | None:
    """Explain why the VPC cannot have this range of addresses; None if it can."""
    network = ipaddress.IPv4Network(vpc_cidr)
    if not network.is_private or not 16 <= network.prefixlen <= 24:
        return (
            f'vpc_cidr is "{vpc_cidr}": a private network of /16 to /24 is expected, such as vpc_cidr = "10.20.0.0/16"'
        )
    return None
