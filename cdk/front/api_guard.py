"""The firewall before the API, which accepts requests of CloudFront only."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from cdk.configuration.deployment import Deployment
from cdk.front.web_acl import ORIGIN_SECRET_HEADER, Rule, make_web_acl, matches


class ApiGuard(Construct):
    """Protects the API's stage from requests that do not come from CloudFront, which sends a secret header.

    API Gateway's own means do not suffice: CloudFront cannot sign requests to a REST API (origin access control
    supports S3, Lambda URLs and media services), and a resource policy for CloudFront's addresses would accept the
    distributions of all accounts. AWS recommends a header that AWS WAF checks, which also keeps the secret out of the
    functions.

    Parameters
    ----------
    generation
        A new number creates a new secret, in one deployment for CloudFront and the firewall. A new value in the same
        secret would not do: CloudFormation reads a secret again only if the reference to it has changed.
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
        secret = secretsmanager.Secret(
            self,
            f"Secret{generation}",
            description=f"Header by which CloudFront shows itself to the API of {deployment.name}",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(exclude_punctuation=True, password_length=48),
            removal_policy=RemovalPolicy.DESTROY,
        )
        # A dynamic reference: CloudFormation reads the value, and the template does not contain it.
        self.header_value = secret.secret_value.unsafe_unwrap()
        header = wafv2.CfnWebACL.FieldToMatchProperty(single_header={"Name": ORIGIN_SECRET_HEADER})
        web_acl = make_web_acl(
            self,
            deployment,
            part="api",
            description=f"API of {deployment.name}: CloudFront only",
            default="block",
            rules=[Rule("FromCloudFront", matches(header, self.header_value), action="allow")],
            key=key,
        )
        wafv2.CfnWebACLAssociation(self, "OfStage", resource_arn=stage_arn, web_acl_arn=web_acl.attr_arn)
