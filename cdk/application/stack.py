"""The Chalice application in AWS: API, functions, logs, and the migration of the index's schema."""

import hashlib
from typing import cast

from aws_cdk import Aws, CfnOutput, CustomResource, Duration, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sam as sam
from constructs import Construct

from cdk.application.access import FUNCTIONS, function_log_group
from cdk.application.chalice_package import PackagedChalice
from cdk.application.chalice_stage_settings import API_STAGE, Resources, stage_settings
from cdk.configuration.deployment import Deployment
from cdk.configuration.limits import FUNCTION_STORAGE_MIB
from cdk.parts.archive_stack import ArchiveStack
from cdk.parts.log_group import log_group
from cdk.project import PROJECT

_SCHEMA = ("schema.sql", "migration.py")

# Without query and path: both can contain what identifies a patient.
_ACCESS_LOG_FORMAT = (
    '{"requestId":"$context.requestId","status":"$context.status","method":"$context.httpMethod",'
    '"resource":"$context.resourcePath","milliseconds":"$context.responseLatency",'
    '"bytes":"$context.responseLength","error":"$context.error.responseType"}'
)


class ApplicationStack(ArchiveStack):
    """API and functions, in the network, with the roles of the access stack."""

    def __init__(self, scope: Construct, deployment: Deployment, *, data_key: kms.IKey, resources: Resources) -> None:
        super().__init__(scope, "application", deployment)
        self.chalice = PackagedChalice(
            self,
            "Chalice",
            region=deployment.region,
            queue_concurrency=deployment.convert_max_concurrency,
            stage_settings=stage_settings(resources),
        )
        self.log_groups = {name: self._log_group(name, deployment, data_key) for name in (*FUNCTIONS, "access")}
        self.functions = {name: self._function(name) for name in FUNCTIONS}
        self.function_names = {name: function.ref for name, function in self.functions.items()}
        api = self._api()
        self.api_name = deployment.name
        self.api_stage_name = API_STAGE
        self.api_domain = f"{api.ref}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}"
        self.api_stage_arn = f"arn:{Aws.PARTITION}:apigateway:{Aws.REGION}::/restapis/{api.ref}/stages/{API_STAGE}"
        self._migration()
        CfnOutput(self, "ApiUrl", value=f"https://{self.api_domain}/{API_STAGE}")
        for name, function in self.function_names.items():
            CfnOutput(self, f"{name.title()}FunctionName", value=function)

    def _log_group(self, name: str, deployment: Deployment, key: kms.IKey) -> logs.LogGroup:
        return log_group(self, f"{name.title()}Log", deployment, name=function_log_group(deployment, name), key=key)

    def _function(self, name: str) -> sam.CfnFunction:
        function = cast(sam.CfnFunction, self.chalice.get_resource(FUNCTIONS[name]))
        function.add_property_override("LoggingConfig", {"LogGroup": self.log_groups[name].log_group_name})
        if name != "migrate":
            function.add_property_override("EphemeralStorage", {"Size": FUNCTION_STORAGE_MIB})
        return function

    def _api(self) -> sam.CfnApi:
        api = cast(sam.CfnApi, self.chalice.get_resource("RestAPI"))
        # Otherwise SAM adds a second stage, named "Stage", which would have no firewall.
        api.add_property_override("OpenApiVersion", "2.0")
        api.add_property_override("Name", self.deployment.name)
        api.add_property_override("TracingEnabled", True)
        access = self.log_groups["access"]
        api.add_property_override(
            "AccessLogSetting", {"DestinationArn": access.log_group_arn, "Format": _ACCESS_LOG_FORMAT}
        )
        api.add_property_override(
            "MethodSettings",
            [
                {
                    "ResourcePath": "/*",
                    "HttpMethod": "*",
                    "MetricsEnabled": True,
                    # At INFO, API Gateway logs the query of each request.
                    "LoggingLevel": "ERROR",
                    "DataTraceEnabled": False,
                    # A region allows 10000 requests a second for all APIs of the account: leave some for others.
                    "ThrottlingRateLimit": 2000,
                    "ThrottlingBurstLimit": 1000,
                }
            ],
        )
        api.add_resource_dependency(self._api_gateway_may_log())
        return api

    def _api_gateway_may_log(self) -> apigateway.CfnAccount:
        """Let API Gateway write logs: a setting of the account and region, which is kept when the stack is deleted."""
        role = iam.Role(
            self,
            "ApiGatewayLogs",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonAPIGatewayPushToCloudWatchLogs")
            ],
        )
        account = apigateway.CfnAccount(self, "ApiGatewayAccount", cloud_watch_role_arn=role.role_arn)
        role.apply_removal_policy(RemovalPolicy.RETAIN)
        account.apply_removal_policy(RemovalPolicy.RETAIN)
        return account

    def _migration(self) -> None:
        """Run the migration at the first deployment, and at each one that changes the schema."""
        migrate = self.functions["migrate"]
        resource = CustomResource(
            self,
            "Schema",
            service_token=migrate.get_att("Arn").to_string(),
            resource_type="Custom::Schema",
            service_timeout=Duration.minutes(15),
            properties={"SchemaDigest": _schema_digest()},
        )
        # Search and conversion need the tables.
        for name in ("api", "convert"):
            self.functions[name].node.add_dependency(resource)


def _schema_digest() -> str:
    mysql = PROJECT / "chalicelib" / "adapters" / "mysql"
    return hashlib.sha256(b"".join((mysql / name).read_bytes() for name in _SCHEMA)).hexdigest()
