"""The edge on AWS: a CloudFront distribution with one behaviour, whose function selects each request's origin."""

from typing import Any

from aws_cdk import Acknowledgment, CfnOutput, Stack, Validations
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.application.stack import ApplicationStack
from cdk.archive.storage import StorageStack
from cdk.configuration.deployment import Deployment
from cdk.front.api_guard import ApiGuard
from cdk.front.firewall import FirewallStack
from cdk.front.policies import cache_policy, origin_request_policy, response_headers_policy
from cdk.front.viewer import ViewerStack
from cdk.front.web_acl import ORIGIN_SECRET_HEADER
from cdk.parts.archive_stack import ArchiveStack
from edge.bundle import cloudfront_function_source

# A new number creates a new secret between CloudFront and the API's firewall (docs/operations.md, Rotation).
ORIGIN_SECRET_GENERATION = 1
# The longest that CloudFront waits for an origin without a raised quota ("OriginReadTimeout", CloudFront's API
# reference). The store needs it, since it answers when the last instance of an upload is durable.
_READ_TIMEOUT_SECONDS = 120
_KEEPALIVE_SECONDS = 60
# By default CloudFront caches an error for 10 s, and ignores the Cache-Control of most errors. An object that is
# missing here may exist a moment later.
UNCACHED_ERRORS = (400, 403, 404, 405, 414, 500, 501, 502, 503, 504)


class Distribution(Construct):
    """The distribution, its function and its policies.

    It uses CloudFormation's own resource: the higher-level construct creates only origins that a behaviour names, but
    here the function selects them.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        deployment: Deployment,
        *,
        origins: list[cloudfront.CfnDistribution.OriginProperty],
        web_acl_arn: str,
    ) -> None:
        super().__init__(scope, identifier)
        function = cloudfront.Function(
            self,
            "Route",
            code=cloudfront.FunctionCode.from_inline(cloudfront_function_source(deployment.preflight_ttl_seconds)),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
            comment="Where a request goes (edge/route.js)",
        )
        behaviour = cloudfront.CfnDistribution.DefaultCacheBehaviorProperty(
            # Not an origin group, because groups refuse POST. The function creates one for requests that need it.
            target_origin_id="viewer",
            viewer_protocol_policy="redirect-to-https",
            allowed_methods=[
                "GET",
                "HEAD",
                "OPTIONS",
                "PUT",
                "PATCH",
                "POST",
                "DELETE",
            ],  # CloudFront offers POST only together with the others
            cached_methods=["GET", "HEAD"],
            compress=True,
            cache_policy_id=cache_policy(self, deployment).cache_policy_id,
            origin_request_policy_id=origin_request_policy(self).origin_request_policy_id,
            response_headers_policy_id=response_headers_policy(self, deployment).response_headers_policy_id,
            function_associations=[
                cloudfront.CfnDistribution.FunctionAssociationProperty(
                    event_type="viewer-request", function_arn=function.function_arn
                )
            ],
        )
        self.resource = cloudfront.CfnDistribution(
            self,
            "Resource",
            distribution_config=cloudfront.CfnDistribution.DistributionConfigProperty(
                comment=f"Static DICOMweb archive {deployment.name}",
                enabled=True,
                http_version="http2and3",
                # The firewall's list of allowed networks contains IPv4 only, so clients with IPv6 would be refused.
                ipv6_enabled=not deployment.edge_allowed_cidrs,
                origins=origins,
                default_cache_behavior=behaviour,
                custom_error_responses=[
                    cloudfront.CfnDistribution.CustomErrorResponseProperty(error_code=status, error_caching_min_ttl=0)
                    for status in UNCACHED_ERRORS
                ],
                web_acl_id=web_acl_arn,
                **_name_and_certificate(deployment),
            ),
        )
        if deployment.viewer_fqdn is None:
            # Here and not in cdk/compliance/suppressions.py, because the finding does not occur with viewer_fqdn.
            Validations.of(self.resource).acknowledge(
                Acknowledgment(
                    id="AwsSolutions-CFR4",
                    reason="Without viewer_fqdn, CloudFront's own name is used, with its certificate and minimum TLS "
                    "version; the configuration's example recommends a name and a certificate.",
                )
            )


def _name_and_certificate(deployment: Deployment) -> dict[str, Any]:
    if deployment.viewer_fqdn is None:
        default = cloudfront.CfnDistribution.ViewerCertificateProperty(cloud_front_default_certificate=True)
        return {"viewer_certificate": default}
    certificate = cloudfront.CfnDistribution.ViewerCertificateProperty(
        acm_certificate_arn=deployment.viewer_certificate_arn,
        minimum_protocol_version="TLSv1.2_2021",
        ssl_support_method="sni-only",
    )
    return {"aliases": [deployment.viewer_fqdn], "viewer_certificate": certificate}


def _bucket_origin(
    origin_id: str, bucket: s3.IBucket, access_control_id: str, path: str = ""
) -> cloudfront.CfnDistribution.OriginProperty:
    return cloudfront.CfnDistribution.OriginProperty(
        id=origin_id,
        domain_name=bucket.bucket_regional_domain_name,
        origin_path=path,
        # CloudFormation requires this even though access is not controlled by identities, the older way.
        s3_origin_config=cloudfront.CfnDistribution.S3OriginConfigProperty(origin_access_identity=""),
        origin_access_control_id=access_control_id,
    )


def _server_origin(
    origin_id: str, domain_name: str, path: str = "", headers: dict[str, str] | None = None
) -> cloudfront.CfnDistribution.OriginProperty:
    return cloudfront.CfnDistribution.OriginProperty(
        id=origin_id,
        domain_name=domain_name,
        origin_path=path,
        custom_origin_config=cloudfront.CfnDistribution.CustomOriginConfigProperty(
            origin_protocol_policy="https-only",
            origin_ssl_protocols=["TLSv1.2"],
            origin_read_timeout=_READ_TIMEOUT_SECONDS,
            origin_keepalive_timeout=_KEEPALIVE_SECONDS,
        ),
        origin_custom_headers=[
            cloudfront.CfnDistribution.OriginCustomHeaderProperty(header_name=name, header_value=value)
            for name, value in (headers or {}).items()
        ],
    )


class EdgeStack(ArchiveStack):
    """The distribution, and the guard that keeps clients from reaching the API around it."""

    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        *,
        storage: StorageStack,
        application: ApplicationStack,
        viewer: ViewerStack,
        firewall: FirewallStack,
    ) -> None:
        super().__init__(scope, "edge", deployment)
        guard = ApiGuard(
            self,
            "ApiGuard",
            deployment,
            stage_arn=application.api_stage_arn,
            key=storage.data_key,
            generation=ORIGIN_SECRET_GENERATION,
        )
        signed = cloudfront.S3OriginAccessControl(self, "AccessControl").origin_access_control_id
        self.distribution = Distribution(
            self,
            "Distribution",
            deployment,
            origins=[
                _bucket_origin("viewer", viewer.bucket, signed),
                _bucket_origin("static", storage.static_bucket, signed),
                _bucket_origin("static-identity", storage.static_bucket, signed, "/identity"),
                _server_origin(
                    "api",
                    application.api_domain,
                    f"/{application.api_stage_name}",
                    {ORIGIN_SECRET_HEADER: guard.header_value},
                ),
                _server_origin("stow", deployment.stow_fqdn),
            ],
            web_acl_arn=firewall.web_acl_arn,
        ).resource
        self.distribution_id = self.distribution.ref
        # For the cache's hit rate on the dashboard; each metric is paid for (cdk/cost/model.py).
        cloudfront.CfnMonitoringSubscription(
            self,
            "Metrics",
            distribution_id=self.distribution_id,
            monitoring_subscription=cloudfront.CfnMonitoringSubscription.MonitoringSubscriptionProperty(
                realtime_metrics_subscription_config=(
                    cloudfront.CfnMonitoringSubscription.RealtimeMetricsSubscriptionConfigProperty(
                        realtime_metrics_subscription_status="Enabled"
                    )
                )
            ),
        )
        self.domain_name = self.distribution.attr_domain_name
        host = deployment.viewer_fqdn or self.domain_name
        CfnOutput(self, "ViewerUrl", value=f"https://{host}/")
        root = deployment.dicomweb_root
        CfnOutput(self, "DicomwebRoot", value=root if root.startswith("https:") else f"https://{host}{root}")
        CfnOutput(
            self,
            "DistributionDomainName",
            value=self.domain_name,
            description=f"Target of the CNAME {deployment.viewer_fqdn or '(none is configured)'}",
        )
        CfnOutput(self, "DistributionId", value=self.distribution_id)

    @property
    def distribution_arn(self) -> str:
        """ARN of the distribution; it contains no region, since CloudFront is global."""
        return Stack.of(self).format_arn(
            service="cloudfront", region="", resource="distribution", resource_name=self.distribution_id
        )
