"""Patches of ministack's CloudFormation, without which it does not deploy the templates of the CDK application.

Part of `launcher`, which explains the strategy; runs with the emulator's own Python.
"""

import os
import uuid
from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import changesets, custom_resource, engine, handlers, provisioners, stacks

_WITHOUT_EFFECT: dict[str, tuple[str, ...]] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ("Id",),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ("Arn", "PolicyName"),
    "AWS::CloudFront::MonitoringSubscription": ("Id",),
    "AWS::EC2::FlowLog": ("Id",),
    "AWS::EC2::SecurityGroupEgress": ("Id",),
    "AWS::EC2::SecurityGroupIngress": ("Id",),
    "AWS::Logs::Delivery": ("Arn", "DeliveryId"),
    "AWS::Logs::DeliveryDestination": ("Arn",),
    "AWS::Logs::DeliverySource": ("Arn",),
    "AWS::SecretsManager::ResourcePolicy": ("Id",),
    "AWS::SecretsManager::RotationSchedule": ("Id",),
    "Emulator::PublishedApplication": ("Outputs.RotationLambdaARN",),
    "AWS::WAFv2::IPSet": ("Arn", "Id"),
    "AWS::WAFv2::LoggingConfiguration": ("Id",),
    "AWS::WAFv2::WebACLAssociation": ("Id",),
}
"""Types of resources that an archive on one machine does not depend on, with the attributes that templates may ask for.

They configure a network, scaling and filters, which do not exist here."""


def _without_effect(attributes: tuple[str, ...]) -> dict[str, Any]:
    def named(physical_id: str) -> tuple[str, dict[str, str]]:
        return physical_id, dict.fromkeys(attributes, physical_id)

    def create(logical_id: str, _properties: dict[str, Any], _stack_name: str) -> tuple[str, dict[str, str]]:
        return named(f"{logical_id.lower()}-{uuid.uuid4().hex[:17]}")

    def update(physical_id: str, _old: Any, _new: Any, _stack_name: str) -> tuple[str, dict[str, str]]:
        return named(physical_id)

    def delete(_physical_id: str, _properties: dict[str, Any]) -> None:
        """Do nothing: nothing was created."""

    return {"create": create, "update": update, "delete": delete}


def accept_resources_without_effect() -> None:
    """CloudFormation refuses a whole template for one type that it does not know."""
    for name, attributes in _WITHOUT_EFFECT.items():
        provisioners._RESOURCE_HANDLERS.setdefault(name, _without_effect(attributes))


def accept_alarms_of_several_metrics() -> None:
    """An alarm on a formula of metrics is refused; nothing reads alarms here, so it is created without effect."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
    create = handler["create"]
    without_effect = _without_effect(("Arn",))

    def create_or_accept(logical_id: str, properties: dict[str, Any], stack_name: str) -> tuple[str, Any]:
        chosen = without_effect["create"] if "Metrics" in properties else create
        physical_id, attributes = chosen(logical_id, properties, stack_name)
        return physical_id, attributes

    handler["create"] = create_or_accept


def add_missing_attributes() -> None:
    """Templates may ask for these attributes, and one that is missing rolls the whole stack back."""
    _add_attribute("AWS::EC2::VPC", "CidrBlock", lambda _id, properties: properties["CidrBlock"])


def _add_attribute(resource_type: str, attribute: str, value: Callable[[str, dict[str, Any]], Any]) -> None:
    handler = provisioners._RESOURCE_HANDLERS[resource_type]
    create = handler["create"]

    def create_with_attribute(logical_id: str, properties: dict[str, Any], stack_name: str) -> tuple[str, Any]:
        physical_id, attributes = create(logical_id, properties, stack_name)
        return physical_id, {**attributes, attribute: value(physical_id, properties)}

    handler["create"] = create_with_attribute


def leave_published_applications_out() -> None:
    """Secrets are rotated by an application of AWS's public repository, whose template is fetched from AWS."""
    apply = engine._apply_transforms

    def apply_without(template: dict[str, Any], *arguments: Any, **named: Any) -> Any:
        resources = {
            name: {**resource, "Type": "Emulator::PublishedApplication"}
            if resource.get("Type") == "AWS::Serverless::Application"
            else resource
            for name, resource in template.get("Resources", {}).items()
        }
        return apply({**template, "Resources": resources}, *arguments, **named)

    for module in (engine, changesets, handlers, stacks):
        if hasattr(module, "_apply_transforms"):
            vars(module)["_apply_transforms"] = apply_without


def leave_files_of_the_viewer_out() -> None:
    """CDK's function that unpacks files into a bucket calls a program at a fixed path of its layer, below /opt."""
    invoke = custom_resource.invoke_custom_resource

    def invoke_or_leave_out(
        request_type: str,
        logical_id: str,
        props: dict[str, Any],
        stack_name: str,
        stack_id: str,
        resource_type: str,
        **others: Any,
    ) -> tuple[str, dict[str, Any]]:
        if resource_type == "Custom::CDKBucketDeployment":
            return logical_id, {}
        answer: tuple[str, dict[str, Any]] = invoke(
            request_type, logical_id, props, stack_name, stack_id, resource_type, **others
        )
        return answer

    custom_resource.invoke_custom_resource = invoke_or_leave_out


def lead_database_clusters_to_the_server() -> None:
    """A cluster is a record without a server: its address becomes that of the harness's MariaDB."""
    host, port = os.environ.get("RDS_HOST"), os.environ.get("RDS_PORT")
    if host is None or port is None:
        return
    handler = provisioners._RESOURCE_HANDLERS["AWS::RDS::DBCluster"]
    create = handler["create"]

    def create_with_address(*arguments: Any) -> tuple[str, dict[str, Any]]:
        cluster_id, _ = create(*arguments)
        cluster = provisioners._rds._clusters[cluster_id]
        cluster.update(Endpoint=host, ReaderEndpoint=host, Port=int(port))
        return cluster_id, provisioners._rds_db_cluster_attrs(cluster)

    handler["create"] = create_with_address


WORKAROUNDS: tuple[Callable[[], None], ...] = (
    accept_resources_without_effect,
    accept_alarms_of_several_metrics,
    add_missing_attributes,
    leave_published_applications_out,
    leave_files_of_the_viewer_out,
    lead_database_clusters_to_the_server,
)
