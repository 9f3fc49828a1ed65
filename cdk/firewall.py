"""The firewalls: one before CloudFront, and one before the API that lets nothing through but CloudFront."""

from aws_cdk import ArnFormat, CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from cdk.configuration import CERTIFICATE_REGION, Deployment
from cdk.log_retention import retention
from cdk.stack import ArchiveStack

ORIGIN_SECRET_HEADER = "x-origin-secret"  # noqa: S105 - its name, not its value
_RATE_WINDOW_SECONDS = 300

# Managed groups, each with the rules that count instead of blocking, and why.
_MANAGED_GROUPS: dict[str, dict[str, str]] = {
    "AWSManagedRulesAmazonIpReputationList": {},
    "AWSManagedRulesKnownBadInputsRuleSet": {},
    "AWSManagedRulesCommonRuleSet": {
        "NoUserAgent_HEADER": "devices and simple DICOMweb clients send none",
        "SizeRestrictions_QUERYSTRING": "a list of UIDs is longer than the 2 KB that it allows",
    },
}


class EdgeFirewall(Construct):
    """What CloudFront asks before anything else. Must be in us-east-1.

    Parameters
    ----------
    key
        Encrypts the log; its policy must let CloudWatch Logs of this region use it.
    """

    def __init__(self, scope: Construct, identifier: str, deployment: Deployment, *, key: kms.IKey) -> None:
        super().__init__(scope, identifier)
        rules = [_rate_rule(deployment.rate_limit_per_5_minutes), *map(_managed_rule, _MANAGED_GROUPS)]
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
            # Last, as it ends the evaluation: who may enter is still counted, and checked for attacks.
            rules.append(_rule("Allowed", statement, action=wafv2.CfnWebACL.RuleActionProperty(allow={})))
        self.web_acl = wafv2.CfnWebACL(
            self,
            "WebAcl",
            scope="CLOUDFRONT",
            description=f"Edge of {deployment.name}",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(
                **({"block": {}} if deployment.edge_allowed_cidrs else {"allow": {}})
            ),
            rules=[_with_priority(rule, priority) for priority, rule in enumerate(rules)],
            visibility_config=_visibility("Edge"),
        )
        _log(self, self.web_acl, f"aws-waf-logs-{deployment.name}-edge", deployment, key)


class ApiGuard(Construct):
    """Lets nobody reach the API's stage but by CloudFront, which sends a secret header.

    API Gateway's own means do not fit: CloudFront cannot sign requests to a REST API (origin access control is for
    S3, Lambda URLs and media services), and a resource policy for CloudFront's addresses would let every distribution
    of every account through. The header checked by AWS WAF is what AWS recommends for that, and it keeps the secret
    out of the functions.

    Parameters
    ----------
    generation
        Another number makes another secret, in one deployment for CloudFront and the firewall.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        deployment: Deployment,
        *,
        stage_arn: str,
        key: kms.IKey,
        generation: int,
    ) -> None:
        super().__init__(scope, identifier)
        self.secret = secretsmanager.Secret(
            self,
            f"Secret{generation}",
            description=f"Header by which CloudFront shows itself to the API of {deployment.name}",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(exclude_punctuation=True, password_length=48),
            removal_policy=RemovalPolicy.DESTROY,
        )
        # A dynamic reference: CloudFormation reads the value, the template does not hold it.
        self.header_value = self.secret.secret_value.unsafe_unwrap()
        from_cloudfront = wafv2.CfnWebACL.StatementProperty(
            byte_match_statement=wafv2.CfnWebACL.ByteMatchStatementProperty(
                field_to_match=wafv2.CfnWebACL.FieldToMatchProperty(single_header={"Name": ORIGIN_SECRET_HEADER}),
                positional_constraint="EXACTLY",
                search_string=self.header_value,
                text_transformations=[wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
            )
        )
        allow = wafv2.CfnWebACL.RuleActionProperty(allow={})
        self.web_acl = wafv2.CfnWebACL(
            self,
            "WebAcl",
            scope="REGIONAL",
            description=f"API of {deployment.name}: CloudFront only",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(block={}),
            rules=[_with_priority(_rule("FromCloudFront", from_cloudfront, action=allow), 0)],
            visibility_config=_visibility("Api"),
        )
        wafv2.CfnWebACLAssociation(self, "OfStage", resource_arn=stage_arn, web_acl_arn=self.web_acl.attr_arn)
        _log(self, self.web_acl, f"aws-waf-logs-{deployment.name}-api", deployment, key)


class FirewallStack(ArchiveStack):
    """What must be in us-east-1 before the distribution: its firewall, and the key of what is logged there."""

    def __init__(self, scope: Construct, deployment: Deployment) -> None:
        super().__init__(scope, "firewall", deployment, region=CERTIFICATE_REGION)
        self.key = kms.Key(
            self,
            "Key",
            description=f"Logs and alarms of {deployment.name} in {CERTIFICATE_REGION}",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        for service in (f"logs.{self.region}.amazonaws.com", "cloudwatch.amazonaws.com"):
            self.key.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(service)],
                    actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:DescribeKey"],
                    resources=["*"],  # in a key's policy: this key
                    conditions=_on_behalf_of(self, service),
                )
            )
        self.web_acl_arn = EdgeFirewall(self, "Edge", deployment, key=self.key).web_acl.attr_arn
        CfnOutput(self, "WebAclArn", value=self.web_acl_arn)


def _on_behalf_of(stack: Stack, service: str) -> dict[str, dict[str, str]]:
    if service.startswith("logs."):
        groups = stack.format_arn(
            service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        return {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}}
    return {"StringEquals": {"aws:SourceAccount": stack.account}}


def _rate_rule(requests: int) -> wafv2.CfnWebACL.RuleProperty:
    statement = wafv2.CfnWebACL.StatementProperty(
        rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
            aggregate_key_type="IP", limit=requests, evaluation_window_sec=_RATE_WINDOW_SECONDS
        )
    )
    return _rule("RateLimit", statement, action=wafv2.CfnWebACL.RuleActionProperty(block={}))


def _managed_rule(group: str) -> wafv2.CfnWebACL.RuleProperty:
    """A managed group for all but uploads: their bodies are arbitrary bytes that would match rules by chance.

    Other methods have no body, and the function at the edge takes POST at the store's paths only.
    """
    post = wafv2.CfnWebACL.StatementProperty(
        byte_match_statement=wafv2.CfnWebACL.ByteMatchStatementProperty(
            field_to_match=wafv2.CfnWebACL.FieldToMatchProperty(method={}),
            positional_constraint="EXACTLY",
            search_string="POST",
            text_transformations=[wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
        )
    )
    is_reputation = group == "AWSManagedRulesAmazonIpReputationList"
    count = wafv2.CfnWebACL.RuleActionProperty(count={})
    statement = wafv2.CfnWebACL.StatementProperty(
        managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
            vendor_name="AWS",
            name=group,
            rule_action_overrides=[
                wafv2.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=count)
                for rule in _MANAGED_GROUPS[group]
            ],
            scope_down_statement=None
            if is_reputation  # looks at addresses only
            else wafv2.CfnWebACL.StatementProperty(not_statement=wafv2.CfnWebACL.NotStatementProperty(statement=post)),
        )
    )
    return _rule(group.removeprefix("AWSManagedRules"), statement, action=None)


def _rule(
    name: str, statement: wafv2.CfnWebACL.StatementProperty, *, action: wafv2.CfnWebACL.RuleActionProperty | None
) -> wafv2.CfnWebACL.RuleProperty:
    """A rule without its place; a managed group brings its own actions."""
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=0,
        statement=statement,
        action=action,
        override_action=None if action else wafv2.CfnWebACL.OverrideActionProperty(none={}),
        visibility_config=_visibility(name),
    )


def _with_priority(rule: wafv2.CfnWebACL.RuleProperty, priority: int) -> wafv2.CfnWebACL.RuleProperty:
    return wafv2.CfnWebACL.RuleProperty(
        name=rule.name,
        priority=priority,
        statement=rule.statement,
        action=rule.action,
        override_action=rule.override_action,
        visibility_config=rule.visibility_config,
    )


def _visibility(metric: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    # Samples would show queries, and queries hold patients' names.
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=False
    )


def _log(scope: Construct, web_acl: wafv2.CfnWebACL, name: str, deployment: Deployment, key: kms.IKey) -> None:
    """Log what is decided, without queries, cookies and credentials. AWS wants the group's name to begin so."""
    group = logs.LogGroup(
        scope,
        "Log",
        log_group_name=name,
        encryption_key=key,
        retention=retention(deployment),
        removal_policy=RemovalPolicy.DESTROY,
    )
    # Without the ":*" that ends the group's own attribute.
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
