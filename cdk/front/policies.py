"""CloudFront's policies: the cache key, the headers sent to origins, and the headers added to responses."""

from aws_cdk import Duration
from aws_cdk import aws_cloudfront as cloudfront
from constructs import Construct

from cdk.configuration.deployment import Deployment

VARIANT_HEADER = "x-variant"
"""`VARIANT` in cloudfront_adapter.js."""

_HSTS_SECONDS = 31_536_000

EXPOSED_HEADERS = (
    "Accept-Ranges",
    "Allow",
    "Content-Encoding",
    "Content-Location",
    "Content-Range",
    "ETag",
    "Retry-After",
    "Warning",
)
# PREFLIGHT_HEADERS of route.js.
ALLOWED_METHODS = ("GET", "HEAD", "POST", "OPTIONS")
ALLOWED_HEADERS = ("Accept", "Authorization", "Content-Type", "If-Match", "If-None-Match", "If-Range", "Range")
# Headers of S3 and API Gateway that are of no use to clients; the key's ARN even contains the account. nginx hides more
# of them: CloudFront removes at most ten headers, and neither X-Amzn-RequestId nor X-Amzn-ErrorType.
REMOVED_HEADERS = (
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-version-id",
    "x-amz-id-2",
    "x-amz-request-id",
    "x-amz-storage-class",
    "x-amz-apigw-id",
    "x-amzn-trace-id",
    "x-amz-replication-status",
)


def cache_policy(scope: Construct, deployment: Deployment) -> cloudfront.CachePolicy:
    """Cache each representation as the object's Cache-Control says."""
    return cloudfront.CachePolicy(
        scope,
        "CachePolicy",
        comment="By Cache-Control; one entry for each representation",
        min_ttl=Duration.seconds(0),
        default_ttl=Duration.seconds(deployment.edge_default_ttl_seconds),
        max_ttl=Duration.seconds(deployment.edge_max_ttl_seconds),
        header_behavior=cloudfront.CacheHeaderBehavior.allow_list(VARIANT_HEADER),
        query_string_behavior=cloudfront.CacheQueryStringBehavior.all(),
        cookie_behavior=cloudfront.CacheCookieBehavior.none(),
        enable_accept_encoding_gzip=True,
        enable_accept_encoding_brotli=False,  # stored objects are compressed by gzip or not at all
    )


def origin_request_policy(scope: Construct) -> cloudfront.OriginRequestPolicy:
    """Headers for origins beside the cache key. Without Host: API Gateway and S3 accept only their own names."""
    return cloudfront.OriginRequestPolicy(
        scope,
        "OriginRequestPolicy",
        comment="Content negotiation and uploads",
        header_behavior=cloudfront.OriginRequestHeaderBehavior.allow_list("Accept", "Content-Type"),
        query_string_behavior=cloudfront.OriginRequestQueryStringBehavior.all(),
        cookie_behavior=cloudfront.OriginRequestCookieBehavior.none(),
    )


def response_headers_policy(scope: Construct, deployment: Deployment) -> cloudfront.ResponseHeadersPolicy:
    """The headers of nginx.conf.template, and Strict-Transport-Security."""
    return cloudfront.ResponseHeadersPolicy(
        scope,
        "ResponseHeadersPolicy",
        comment="CORS for DICOMweb clients, and security headers",
        cors_behavior=cloudfront.ResponseHeadersCorsBehavior(
            access_control_allow_origins=["*"],
            access_control_allow_methods=list(ALLOWED_METHODS),
            access_control_allow_headers=list(ALLOWED_HEADERS),
            access_control_expose_headers=list(EXPOSED_HEADERS),
            access_control_allow_credentials=False,
            access_control_max_age=Duration.seconds(deployment.preflight_ttl_seconds),
            origin_override=True,
        ),
        security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
            content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
            strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                access_control_max_age=Duration.seconds(_HSTS_SECONDS), include_subdomains=False, override=True
            ),
        ),
        custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
            custom_headers=[
                cloudfront.ResponseCustomHeader(header="Vary", value="Accept, Accept-Encoding", override=True)
            ]
        ),
        remove_headers=list(REMOVED_HEADERS),
    )
