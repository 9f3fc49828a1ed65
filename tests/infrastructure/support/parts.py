"""Queries of templates, and the smallest configuration for single stacks."""

from typing import Any

from cdk.configuration.deployment import Deployment
from tests.infrastructure.support.synthesis import Template, resources

Properties = dict[str, Any]


def of_type(template: Template, kind: str) -> dict[str, Properties]:
    """Properties of the resources of one type, by logical id; fails if there are none."""
    found = {name: resource["Properties"] for name, resource in resources(template, kind).items()}
    assert found, f"no {kind} at all"
    return found


def only(template: Template, kind: str) -> Properties:
    """Properties of the only resource of a type; fails if there are others."""
    [properties] = of_type(template, kind).values()
    return properties


def deployment(**settings: Any) -> Deployment:
    """The smallest valid configuration, with further settings."""
    region = settings.get("region", "us-east-1")
    return Deployment(
        **{
            "account": "000000000000",
            "region": region,
            "stow_fqdn": "stow.example.org",
            "certificate_arn": f"arn:aws:acm:{region}:000000000000:certificate/00000000-0000-0000-0000-000000000000",
            **settings,
        }
    )
