"""The firewalls: before CloudFront, and before the API."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App, assertions

from cdk.front.firewall import FirewallStack
from cdk.front.web_acl import ORIGIN_SECRET_HEADER
from tests.infrastructure.support.parts import deployment, of_type, only
from tests.infrastructure.support.synthesis import Template


def template_of(stack: FirewallStack) -> Template:
    return dict(assertions.Template.from_stack(stack).to_json())


def firewall(**settings: Any) -> Template:
    return template_of(FirewallStack(App(), deployment(**settings)))


@pytest.fixture(scope="module")
def open_firewall() -> Template:
    return firewall(rate_limit_per_5_minutes=1234)


def rules(template: Template) -> list[Template]:
    return sorted(only(template, "AWS::WAFv2::WebACL")["Rules"], key=lambda rule: int(rule["Priority"]))


def test_it_is_made_for_cloudfront_where_cloudfront_looks_for_it() -> None:
    stack = FirewallStack(App(), deployment(region="eu-central-1"))
    assert stack.region == "us-east-1"
    assert only(template_of(stack), "AWS::WAFv2::WebACL")["Scope"] == "CLOUDFRONT"


def test_an_address_that_asks_too_often_is_refused_first(open_firewall: Template) -> None:
    first = rules(open_firewall)[0]
    assert first["Action"] == {"Block": {}}
    assert first["Statement"]["RateBasedStatement"] == {
        "AggregateKeyType": "IP",
        "EvaluationWindowSec": 300,
        "Limit": 1234,
    }


def test_without_an_allow_list_everybody_may_enter(open_firewall: Template) -> None:
    assert only(open_firewall, "AWS::WAFv2::WebACL")["DefaultAction"] == {"Allow": {}}
    assert "AWS::WAFv2::IPSet" not in json.dumps(open_firewall)


def test_with_an_allow_list_nobody_else_may_enter_and_who_may_is_checked_before() -> None:
    template = firewall(edge_allowed_cidrs=["198.51.100.0/24", "203.0.113.0/24"])
    assert only(template, "AWS::WAFv2::WebACL")["DefaultAction"] == {"Block": {}}
    assert only(template, "AWS::WAFv2::IPSet")["Addresses"] == ["198.51.100.0/24", "203.0.113.0/24"]
    allowing = [rule["Name"] for rule in rules(template) if rule.get("Action") == {"Allow": {}}]
    assert allowing == ["Allowed"] == [rules(template)[-1]["Name"]]


def test_uploads_are_not_searched_for_attacks(open_firewall: Template) -> None:
    groups = {rule["Name"]: rule["Statement"].get("ManagedRuleGroupStatement") for rule in rules(open_firewall)}
    for name in ("CommonRuleSet", "KnownBadInputsRuleSet"):
        inspected = groups[name]["ScopeDownStatement"]["NotStatement"]["Statement"]["ByteMatchStatement"]
        assert (inspected["FieldToMatch"], inspected["SearchString"]) == ({"Method": {}}, "POST")


def test_what_dicomweb_clients_do_is_counted_and_not_refused(open_firewall: Template) -> None:
    [common] = [rule for rule in rules(open_firewall) if rule["Name"] == "CommonRuleSet"]
    overrides = common["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"]
    assert {rule["Name"]: rule["ActionToUse"] for rule in overrides} == {
        "NoUserAgent_HEADER": {"Count": {}},
        "SizeRestrictions_QUERYSTRING": {"Count": {}},
        "SizeRestrictions_URIPATH": {"Count": {}},
    }


@pytest.mark.parametrize("part", ["firewall", "edge"])
def test_no_query_gets_into_a_log_or_a_sample(templates: Mapping[str, Template], part: str) -> None:
    web_acl = only(templates[part], "AWS::WAFv2::WebACL")
    for shown in (web_acl, *web_acl["Rules"]):
        assert shown["VisibilityConfig"]["SampledRequestsEnabled"] is False
    assert {"QueryString": {}} in only(templates[part], "AWS::WAFv2::LoggingConfiguration")["RedactedFields"]


@pytest.mark.parametrize("part", ["firewall", "edge"])
def test_the_logs_have_the_names_that_waf_asks_for_and_are_encrypted(
    templates: Mapping[str, Template], part: str
) -> None:
    log = only(templates[part], "AWS::Logs::LogGroup")
    assert log["LogGroupName"].startswith("aws-waf-logs-")
    assert log["KmsKeyId"]


def test_the_api_answers_nobody_but_cloudfront(templates: Mapping[str, Template]) -> None:
    guard = only(templates["edge"], "AWS::WAFv2::WebACL")
    assert (guard["Scope"], guard["DefaultAction"]) == ("REGIONAL", {"Block": {}})
    [rule] = guard["Rules"]
    condition = rule["Statement"]["ByteMatchStatement"]
    assert condition["FieldToMatch"] == {"SingleHeader": {"Name": ORIGIN_SECRET_HEADER}}
    assert condition["PositionalConstraint"] == "EXACTLY"
    [api] = [
        origin
        for origin in only(templates["edge"], "AWS::CloudFront::Distribution")["DistributionConfig"]["Origins"]
        if origin["Id"] == "api"
    ]
    [header] = api["OriginCustomHeaders"]
    assert header == {"HeaderName": ORIGIN_SECRET_HEADER, "HeaderValue": condition["SearchString"]}
    association = only(templates["edge"], "AWS::WAFv2::WebACLAssociation")
    assert "/restapis/" in json.dumps(association["ResourceArn"])


def test_the_secret_is_generated_and_in_no_template(templates: Mapping[str, Template]) -> None:
    secret = only(templates["edge"], "AWS::SecretsManager::Secret")
    assert secret["GenerateSecretString"]["PasswordLength"] >= 32
    assert "SecretString" not in secret
    [value] = [
        rule["Statement"]["ByteMatchStatement"]["SearchString"]
        for rule in only(templates["edge"], "AWS::WAFv2::WebACL")["Rules"]
    ]
    assert "{{resolve:secretsmanager:" in json.dumps(value)


def test_the_key_serves_the_logs_and_alarms_of_this_account(open_firewall: Template) -> None:
    [key] = of_type(open_firewall, "AWS::KMS::Key").values()
    services = {
        service
        for statement in key["KeyPolicy"]["Statement"]
        if isinstance(service := statement["Principal"].get("Service"), str)
    }
    assert services == {"logs.us-east-1.amazonaws.com", "cloudwatch.amazonaws.com"}
    assert key["EnableKeyRotation"] is True
