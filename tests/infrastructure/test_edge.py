"""The distribution's template against the function, nginx's template and CloudFront's documented limits."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App, Stack, Token, assertions

from cdk.front.distribution import UNCACHED_ERRORS, Distribution
from cdk.front.policies import REMOVED_HEADERS
from edge.bundle import MAX_FUNCTION_BYTES
from edge.sources import edge_source
from tests.infrastructure.support.parts import deployment, of_type, only
from tests.infrastructure.support.synthesis import Template

ADAPTER = edge_source("cloudfront_adapter.js")
NGINX = edge_source("nginx.conf.template")
ROUTE = edge_source("route.js")

# "Headers that you can't remove", CloudFront Developer Guide. Functions cannot change headers with these prefixes.
CLOUDFRONTS_OWN = ("x-amz-cf-", "x-edge-", "x-cache", "x-amzn-errortype", "x-amzn-requestid", "via", "content-encoding")
MAX_REMOVED_HEADERS = 10
MAX_POLICY_HEADERS = 10


@pytest.fixture(scope="module")
def edge(templates: Mapping[str, Template]) -> Template:
    return templates["edge"]


def configuration(edge: Template) -> dict[str, Any]:
    return dict(only(edge, "AWS::CloudFront::Distribution")["DistributionConfig"])


def origins(edge: Template) -> dict[str, dict[str, Any]]:
    return {origin["Id"]: origin for origin in configuration(edge)["Origins"]}


def own_edge(**settings: Any) -> Template:
    """Template of a distribution without the rest of an archive."""
    stack = Stack(App(), "Own")
    Distribution(stack, "Distribution", deployment(**settings), origins=[], web_acl_arn="arn:aws:wafv2:web-acl")
    return dict(assertions.Template.from_stack(stack).to_json())


def response_headers(edge: Template) -> dict[str, Any]:
    return dict(only(edge, "AWS::CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"])


def cache_policy(edge: Template) -> dict[str, Any]:
    return dict(only(edge, "AWS::CloudFront::CachePolicy")["CachePolicyConfig"])


def test_origins_are_those_that_the_function_names(edge: Template) -> None:
    [table] = re.findall(r"const ORIGINS = \{(.*?)\};", ADAPTER)
    assert set(origins(edge)) == set(re.findall(r"'([a-z-]+)'", table))


def test_every_bucket_is_asked_with_signed_requests(edge: Template) -> None:
    [control] = of_type(edge, "AWS::CloudFront::OriginAccessControl")
    signing = only(edge, "AWS::CloudFront::OriginAccessControl")["OriginAccessControlConfig"]
    assert (signing["SigningBehavior"], signing["SigningProtocol"]) == ("always", "sigv4")
    buckets = {name: origin for name, origin in origins(edge).items() if "S3OriginConfig" in origin}
    assert set(buckets) == {"viewer", "static", "static-identity"}
    for origin in buckets.values():
        assert origin["OriginAccessControlId"] == {"Fn::GetAtt": [control, "Id"]}


def test_copies_without_compression_are_asked_for_below_their_prefix(edge: Template) -> None:
    [prefix] = re.findall(r"const IDENTITY_PREFIX = '(.*)/';", ROUTE)
    assert origins(edge)["static-identity"]["OriginPath"] == f"/{prefix}"
    assert origins(edge)["static-identity"]["DomainName"] == origins(edge)["static"]["DomainName"]
    assert origins(edge)["static"]["OriginPath"] == ""


@pytest.mark.parametrize("name", ["api", "stow"])
def test_servers_are_asked_over_tls_only(edge: Template, name: str) -> None:
    custom = origins(edge)[name]["CustomOriginConfig"]
    assert custom["OriginProtocolPolicy"] == "https-only"
    assert custom["OriginSSLProtocols"] == ["TLSv1.2"]
    # CloudFront's own maximum; nginx waits longer for the store.
    assert custom["OriginReadTimeout"] == 120


def test_the_api_is_asked_at_its_stage_and_the_store_by_its_name(edge: Template) -> None:
    assert origins(edge)["api"]["OriginPath"] == "/api"
    assert origins(edge)["stow"]["DomainName"] == "stow.archive.example.org"


def test_one_behaviour_takes_all_methods_and_is_no_origin_group(edge: Template) -> None:
    # A behaviour whose target is a group refuses POST.
    config = configuration(edge)
    assert "OriginGroups" not in config
    assert "CacheBehaviors" not in config
    behaviour = config["DefaultCacheBehavior"]
    assert behaviour["TargetOriginId"] in origins(edge)
    assert "POST" in behaviour["AllowedMethods"]
    assert behaviour["CachedMethods"] == ["GET", "HEAD"]
    assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"


def test_the_function_runs_on_each_request_and_is_within_the_limit(edge: Template) -> None:
    function = only(edge, "AWS::CloudFront::Function")
    assert function["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"
    assert len(function["FunctionCode"].encode()) <= MAX_FUNCTION_BYTES
    [association] = configuration(edge)["DefaultCacheBehavior"]["FunctionAssociations"]
    assert association["EventType"] == "viewer-request"


def test_the_cache_tells_representations_apart_by_the_functions_header(edge: Template) -> None:
    [variant] = re.findall(r"const VARIANT = '(.*)';", ADAPTER)
    key = cache_policy(edge)["ParametersInCacheKeyAndForwardedToOrigin"]
    assert key["HeadersConfig"] == {"HeaderBehavior": "whitelist", "Headers": [variant]}
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "all"}
    assert key["CookiesConfig"] == {"CookieBehavior": "none"}
    assert (key["EnableAcceptEncodingGzip"], key["EnableAcceptEncodingBrotli"]) == (True, False)


def test_no_header_is_one_that_cloudfront_keeps_to_itself(edge: Template) -> None:
    touched = {*re.findall(r"const VARIANT = '(.*)';", ADAPTER), *map(str.lower, REMOVED_HEADERS)}
    touched |= {header["HeaderName"] for header in origins(edge)["api"]["OriginCustomHeaders"]}
    assert not [name for name in touched if name.startswith(CLOUDFRONTS_OWN)]
    assert len(REMOVED_HEADERS) <= MAX_REMOVED_HEADERS


def test_what_says_nothing_of_caching_or_forbids_it_is_not_cached(edge: Template) -> None:
    policy = cache_policy(edge)
    assert (policy["MinTTL"], policy["DefaultTTL"]) == (0, 0)


def test_configured_times_reach_cloudfront() -> None:
    own = own_edge(edge_default_ttl_seconds=7, edge_max_ttl_seconds=1234, preflight_ttl_seconds=77)
    assert (cache_policy(own)["DefaultTTL"], cache_policy(own)["MaxTTL"]) == (7, 1234)
    # The function answers preflight requests; the policy overrides the headers of origins.
    assert "'Access-Control-Max-Age': '77'" in only(own, "AWS::CloudFront::Function")["FunctionCode"]
    assert response_headers(own)["CorsConfig"]["AccessControlMaxAgeSec"] == 77


def test_no_error_is_answered_from_the_cache(edge: Template) -> None:
    # CloudFront would cache them for 10 s, but a missing object may exist a moment later.
    kept = {error["ErrorCode"]: error["ErrorCachingMinTTL"] for error in configuration(edge)["CustomErrorResponses"]}
    assert kept == dict.fromkeys(UNCACHED_ERRORS, 0)
    assert all("ResponsePagePath" not in error for error in configuration(edge)["CustomErrorResponses"])


def test_origins_hear_what_is_accepted_and_sent_and_not_the_viewers_host(edge: Template) -> None:
    policy = only(edge, "AWS::CloudFront::OriginRequestPolicy")["OriginRequestPolicyConfig"]
    headers = policy["HeadersConfig"]["Headers"]
    assert {"Accept", "Content-Type"} <= set(headers)
    assert "Host" not in headers
    assert len(headers) <= MAX_POLICY_HEADERS
    assert policy["QueryStringsConfig"] == {"QueryStringBehavior": "all"}


def test_answers_have_the_headers_that_nginx_adds(edge: Template) -> None:
    added = dict(re.findall(r'^ {8}add_header (\S+) "?(.*?)"? always;$', NGINX, re.MULTILINE))
    policy = response_headers(edge)
    cors = policy["CorsConfig"]
    [custom] = policy["CustomHeadersConfig"]["Items"]
    assert policy["SecurityHeadersConfig"]["ContentTypeOptions"] == {"Override": True}  # says nosniff
    assert {
        "Access-Control-Allow-Origin": "$allow_origin",  # "*" in nginx's configuration
        "Access-Control-Expose-Headers": ", ".join(cors["AccessControlExposeHeaders"]["Items"]),
        "X-Content-Type-Options": "nosniff",
        custom["Header"]: custom["Value"],
        "X-Cache": "$upstream_cache_status",  # CloudFront's own
    } == added
    assert cors["AccessControlAllowOrigins"]["Items"] == ["*"]
    assert cors["AccessControlAllowCredentials"] is False
    assert cors["OriginOverride"] is True


def test_preflights_allow_the_same_from_the_function_and_from_the_policy(edge: Template) -> None:
    cors = response_headers(edge)["CorsConfig"]
    allowed = dict(re.findall(r"'Access-Control-(Allow-\w+)': '(.*)'", ROUTE))
    assert ", ".join(cors["AccessControlAllowMethods"]["Items"]) == allowed["Allow-Methods"]
    assert ", ".join(cors["AccessControlAllowHeaders"]["Items"]) == allowed["Allow-Headers"]


def test_browsers_are_told_to_use_tls_only(edge: Template) -> None:
    transport = response_headers(edge)["SecurityHeadersConfig"]["StrictTransportSecurity"]
    assert transport["AccessControlMaxAgeSec"] == 31_536_000
    assert transport["IncludeSubdomains"] is False


def test_the_keys_name_stays_in_the_account(edge: Template) -> None:
    removed = {item["Header"] for item in response_headers(edge)["RemoveHeadersConfig"]["Items"]}
    assert "x-amz-server-side-encryption-aws-kms-key-id" in removed


def test_the_viewers_name_has_its_certificate_and_modern_tls(edge: Template) -> None:
    config = configuration(edge)
    assert config["Aliases"] == ["archive.example.org"]
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert ":us-east-1:" in config["ViewerCertificate"]["AcmCertificateArn"]
    assert config["HttpVersion"] == "http2and3"


def test_without_a_name_of_its_own_cloudfronts_certificate_is_used() -> None:
    config = configuration(own_edge())
    assert config["ViewerCertificate"] == {"CloudFrontDefaultCertificate": True}
    assert "Aliases" not in config


def test_the_firewall_stands_before_it(edge: Template) -> None:
    assert configuration(edge)["WebACLId"]
    assert not Token.is_unresolved(json.dumps(configuration(edge)["WebACLId"]))


def test_where_addresses_are_listed_nobody_comes_by_another_kind_of_address(edge: Template) -> None:
    # The list contains IPv4 networks. A client with both kinds of address would use IPv6, and be refused.
    assert configuration(edge)["IPV6Enabled"] is False
    assert configuration(own_edge())["IPV6Enabled"] is True


def test_outputs_name_viewer_root_and_the_cnames_target(edge: Template) -> None:
    assert edge["Outputs"]["ViewerUrl"]["Value"] == "https://archive.example.org/"
    assert edge["Outputs"]["DicomwebRoot"]["Value"] == "https://archive.example.org/dicomweb"
    assert "DomainName" in json.dumps(edge["Outputs"]["DistributionDomainName"]["Value"])
