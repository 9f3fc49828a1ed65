"""The firewall before CloudFront, and the key for logs and alarms in CloudFront's region."""

from collections.abc import Iterator

from aws_cdk import ArnFormat, CfnOutput, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from cdk.configuration.deployment import CERTIFICATE_REGION, Deployment
from cdk.front.web_acl import Rule, make_web_acl, matches
from cdk.parts.archive_stack import ArchiveStack
from cdk.parts.service_access import let_alarms_use_key, let_logs_use_key

_RATE_WINDOW_SECONDS = 300
_REPUTATION = "AWSManagedRulesAmazonIpReputationList"

# Managed rule groups, each with the rules that only count requests instead of blocking them, and the reason.
_MANAGED_GROUPS: dict[str, dict[str, str]] = {
    _REPUTATION: {},
    "AWSManagedRulesKnownBadInputsRuleSet": {},
    "AWSManagedRulesCommonRuleSet": {
        "NoUserAgent_HEADER": "devices and simple DICOMweb clients send no User-Agent",
        "SizeRestrictions_QUERYSTRING": "a list of UIDs may be longer than the 2 KB that the rule allows",
        "SizeRestrictions_URIPATH": "a list of frames may be longer than the 1 KB that the rule allows",
    },
}


class EdgeFirewall(Construct):
    """The web ACL that CloudFront consults before anything else. Must be in us-east-1.

    Parameters
    ----------
    key
        Encrypts the log. Its policy must allow CloudWatch Logs of this region to use it.
    """

    def __init__(self, scope: Construct, identifier: str, deployment: Deployment, *, key: kms.IKey) -> None:
        super().__init__(scope, identifier)
        self.web_acl = make_web_acl(
            self,
            deployment,
            part="edge",
            description=f"Edge of {deployment.name}",
            default="block" if deployment.edge_allowed_cidrs else "allow",
            rules=list(self._rules(deployment)),
            key=key,
        )

    def _rules(self, deployment: Deployment) -> Iterator[Rule]:
        yield _rate_rule(deployment.rate_limit_per_5_minutes)
        yield from map(_managed_rule, _MANAGED_GROUPS)
        if deployment.edge_allowed_cidrs:
            addresses = wafv2.CfnIPSet(
                self,
                "Allowed",
                addresses=list(deployment.edge_allowed_cidrs),
                ip_address_version="IPV4",
                scope="CLOUDFRONT",
            )
            statement = wafv2.CfnWebACL.StatementProperty(
                ip_set_reference_statement=wafv2.CfnWebACL.IPSetReferenceStatementProperty(arn=addresses.attr_arn)
            )
            # The last rule, because it ends the evaluation: allowed clients are also counted and checked for attacks.
            yield Rule("Allowed", statement, action="allow")


class FirewallStack(ArchiveStack):
    """The resources that the distribution needs in us-east-1: its firewall, and the key for logs and alarms there."""

    def __init__(self, scope: Construct, deployment: Deployment) -> None:
        super().__init__(scope, "firewall", deployment, region=CERTIFICATE_REGION)
        self.key = kms.Key(
            self,
            "Key",
            description=f"Logs and alarms of {deployment.name} in {CERTIFICATE_REGION}",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        groups = self.format_arn(
            service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        let_logs_use_key(self.key, region=self.region, log_groups_arn=groups)
        let_alarms_use_key(self.key, self.account)
        self.web_acl_arn = EdgeFirewall(self, "Edge", deployment, key=self.key).web_acl.attr_arn
        CfnOutput(self, "WebAclArn", value=self.web_acl_arn)


def _rate_rule(requests: int) -> Rule:
    statement = wafv2.CfnWebACL.StatementProperty(
        rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
            aggregate_key_type="IP", limit=requests, evaluation_window_sec=_RATE_WINDOW_SECONDS
        )
    )
    return Rule("RateLimit", statement, action="block")


def _managed_rule(group: str) -> Rule:
    """A managed group for all requests except uploads, whose bodies are arbitrary bytes that would match by chance.

    Other methods have no body, and the function at the edge accepts POST at the store's paths only.
    """
    is_post = matches(wafv2.CfnWebACL.FieldToMatchProperty(method={}), "POST")
    not_post = wafv2.CfnWebACL.StatementProperty(not_statement=wafv2.CfnWebACL.NotStatementProperty(statement=is_post))
    count = wafv2.CfnWebACL.RuleActionProperty(count={})
    statement = wafv2.CfnWebACL.StatementProperty(
        managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
            vendor_name="AWS",
            name=group,
            rule_action_overrides=[
                wafv2.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=count)
                for rule in _MANAGED_GROUPS[group]
            ],
            scope_down_statement=None if group == _REPUTATION else not_post,  # this group inspects addresses only
        )
    )
    return Rule(group.removeprefix("AWSManagedRules"), statement)
