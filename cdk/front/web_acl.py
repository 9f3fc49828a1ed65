"""A web ACL of AWS WAF that logs its decisions without data that could identify a patient."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from cdk.configuration.deployment import Deployment
from cdk.parts.log_group import log_group

Action = Literal["allow", "block"]

ORIGIN_SECRET_HEADER = "x-origin-secret"  # noqa: S105 - the header's name, not the secret
"""Header with the secret by which the API's firewall recognises CloudFront; redacted in the firewall's log."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; its position in the list is its priority. A managed group has no action: its rules define theirs."""

    name: str
    statement: wafv2.CfnWebACL.StatementProperty
    action: Action | None = None


def make_web_acl(
    scope: Construct,
    deployment: Deployment,
    *,
    part: Literal["edge", "api"],
    description: str,
    default: Action,
    rules: Sequence[Rule],
    key: kms.IKey,
) -> wafv2.CfnWebACL:
    """Create the web ACL and its log.

    Parameters
    ----------
    key
        Encrypts the log. Its policy must allow CloudWatch Logs of this region to use it.
    """
    web_acl = wafv2.CfnWebACL(
        scope,
        "WebAcl",
        scope="CLOUDFRONT" if part == "edge" else "REGIONAL",
        description=description,
        default_action=wafv2.CfnWebACL.DefaultActionProperty(**{default: {}}),
        rules=[_property(rule, priority) for priority, rule in enumerate(rules)],
        visibility_config=_visibility(part.title()),
    )
    # AWS WAF requires this prefix.
    group = log_group(scope, "Log", deployment, name=f"aws-waf-logs-{deployment.name}-{part}", key=key)
    _log(scope, web_acl, group)
    return web_acl


def matches(field: wafv2.CfnWebACL.FieldToMatchProperty, value: str) -> wafv2.CfnWebACL.StatementProperty:
    """Statement: a part of the request equals a text."""
    return wafv2.CfnWebACL.StatementProperty(
        byte_match_statement=wafv2.CfnWebACL.ByteMatchStatementProperty(
            field_to_match=field,
            positional_constraint="EXACTLY",
            search_string=value,
            text_transformations=[wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
        )
    )


def _property(rule: Rule, priority: int) -> wafv2.CfnWebACL.RuleProperty:
    return wafv2.CfnWebACL.RuleProperty(
        name=rule.name,
        priority=priority,
        statement=rule.statement,
        action=wafv2.CfnWebACL.RuleActionProperty(**{rule.action: {}}) if rule.action else None,
        override_action=None if rule.action else wafv2.CfnWebACL.OverrideActionProperty(none={}),
        visibility_config=_visibility(rule.name),
    )


def _visibility(metric: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    # Samples would show queries, which contain patients' names.
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=False
    )


def _log(scope: Construct, web_acl: wafv2.CfnWebACL, group: logs.LogGroup) -> None:
    """Log the decisions, without queries, cookies and credentials."""
    # The group's own attribute ends in ":*", which AWS WAF does not accept.
    arn = Stack.of(scope).format_arn(
        service="logs",
        resource="log-group",
        resource_name=group.log_group_name,
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    wafv2.CfnLoggingConfiguration(
        scope,
        "Logging",
        resource_arn=web_acl.attr_arn,
        log_destination_configs=[arn],
        redacted_fields=[
            wafv2.CfnLoggingConfiguration.FieldToMatchProperty(query_string={}),
            *(
                wafv2.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": header})
                for header in ("authorization", "cookie", ORIGIN_SECRET_HEADER)
            ),
        ],
    )
