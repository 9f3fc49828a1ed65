"""The firewall before the API, which lets nothing through but CloudFront."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from cdk.configuration.deployment import Deployment
from cdk.front.web_acl import ORIGIN_SECRET_HEADER, Rule, make_web_acl, matches


class ApiGuard(Construct):
    """Lets nobody reach the API's stage but by CloudFront, which sends a secret header.

    API Gateway's own means do not fit: CloudFront cannot sign requests to a REST API (origin access control is for
    S3, Lambda URLs and media services), and a resource policy for CloudFront's addresses would let every distribution
    of every account through. The header checked by AWS WAF is what AWS recommends for that, and it keeps the secret
    out of the functions.

    Parameters
    ----------
    generation
        Another number makes another secret, in one deployment for CloudFront and the firewall. CloudFormation reads a
        secret again only where the reference to it has changed, so a new value in the same secret would not do.
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
        # A dynamic reference: CloudFormation reads the value, the template does not hold it.
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
