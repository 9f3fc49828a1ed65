"""Buckets, queues, tables and the key: private, encrypted, kept."""

import json
from collections.abc import Mapping
from typing import Any

from tests.infrastructure.support import statements
from tests.infrastructure.support.synthesis import NAME, Template, resources

ALL_BLOCKED = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}


def each(templates: Mapping[str, Template], kind: str) -> list[tuple[str, dict[str, Any]]]:
    found = [
        (f"{part}/{name}", resource)
        for part, template in templates.items()
        for name, resource in resources(template, kind).items()
    ]
    assert found, f"no {kind} at all"
    return found


def lifecycle(templates: Mapping[str, Template], bucket: str) -> dict[str, dict[str, Any]]:
    [properties] = [
        resource["Properties"]
        for name, resource in resources(templates["storage"], "AWS::S3::Bucket").items()
        if name.startswith(bucket)
    ]
    return {rule["Id"]: rule for rule in properties["LifecycleConfiguration"]["Rules"]}


def test_no_bucket_can_be_made_public(templates: Mapping[str, Template]) -> None:
    for name, bucket in each(templates, "AWS::S3::Bucket"):
        assert bucket["Properties"]["PublicAccessBlockConfiguration"] == ALL_BLOCKED, name


def test_no_policy_of_a_bucket_allows_everybody(templates: Mapping[str, Template]) -> None:
    for part, template in templates.items():
        for name, statement in statements.of_resources(template, "AWS::S3::BucketPolicy"):
            assert statement["Effect"] == "Deny" or not statements.names_everybody(statement), f"{part}/{name}"


def test_every_bucket_refuses_requests_without_tls(templates: Mapping[str, Template]) -> None:
    for part, template in templates.items():
        refusing = {
            name
            for name, statement in statements.of_resources(template, "AWS::S3::BucketPolicy")
            if statement["Effect"] == "Deny"
            and statement["Action"] == "s3:*"
            and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        }
        assert refusing == set(resources(template, "AWS::S3::BucketPolicy")), part
        assert len(refusing) == len(resources(template, "AWS::S3::Bucket")), part


def test_buckets_tables_and_key_stay_when_their_stack_goes(templates: Mapping[str, Template]) -> None:
    for part, kinds in {
        "storage": ("AWS::S3::Bucket", "AWS::KMS::Key"),
        "records": ("AWS::DynamoDB::Table",),
    }.items():
        for kind in kinds:
            for name, resource in each({part: templates[part]}, kind):
                assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain"), name


def test_images_are_encrypted_with_the_archive_s_own_key(templates: Mapping[str, Template]) -> None:
    for name, bucket in resources(templates["storage"], "AWS::S3::Bucket").items():
        [rule] = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        if name.startswith("Logs"):  # S3 delivers access logs to no bucket with a KMS key
            assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
        else:
            assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
            assert rule["BucketKeyEnabled"] is True


def test_what_is_overwritten_or_deleted_in_the_landing_bucket_is_kept_for_ever(
    templates: Mapping[str, Template],
) -> None:
    for name, bucket in each(templates, "AWS::S3::Bucket"):
        if name.startswith("storage/"):
            assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}, name
    for rule in lifecycle(templates, "Landing").values():
        assert not {key for key in rule if key.startswith(("Expiration", "NoncurrentVersionExpiration"))}


def test_cold_tiers_are_as_configured(templates: Mapping[str, Template]) -> None:
    cold = lifecycle(templates, "Landing")["cold"]
    tiering = lifecycle(templates, "Static")["intelligent-tiering"]

    assert cold["Transitions"] == [{"StorageClass": "GLACIER_IR", "TransitionInDays": 90}]
    assert cold["NoncurrentVersionTransitions"] == [{"StorageClass": "GLACIER_IR", "TransitionInDays": 90}]
    assert tiering["Transitions"] == [{"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 7}]


def test_landing_bucket_tells_the_queue_without_a_function_between(templates: Mapping[str, Template]) -> None:
    storage = templates["storage"]
    [landing] = [bucket for name, bucket in resources(storage, "AWS::S3::Bucket").items() if name.startswith("Landing")]
    [notification] = landing["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    [queue] = [
        name
        for name, resource in resources(storage, "AWS::SQS::Queue").items()
        if resource["Properties"]["QueueName"] == f"{NAME}-landing"
    ]

    assert notification == {"Event": "s3:ObjectCreated:*", "Queue": {"Fn::GetAtt": [queue, "Arn"]}}
    assert not [name for name in resources(storage, "AWS::Lambda::Function") if "Notification" in name]


def test_only_this_account_s_buckets_may_send_to_the_queue(templates: Mapping[str, Template]) -> None:
    allowed = [
        statement
        for _, statement in statements.of_resources(templates["storage"], "AWS::SQS::QueuePolicy")
        if statement["Effect"] == "Allow"
    ]

    [statement] = allowed
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_what_fails_five_times_waits_in_the_dead_letter_queue_for_two_weeks(templates: Mapping[str, Template]) -> None:
    queues = {
        resource["Properties"]["QueueName"]: (name, resource["Properties"])
        for name, resource in resources(templates["storage"], "AWS::SQS::Queue").items()
    }
    dead_letters, dead = queues[f"{NAME}-landing-dead-letter"]
    _, landing = queues[f"{NAME}-landing"]

    assert landing["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [dead_letters, "Arn"]},
        "maxReceiveCount": 5,
    }
    assert landing["MessageRetentionPeriod"] == dead["MessageRetentionPeriod"] == 1_209_600
    assert landing["SqsManagedSseEnabled"] is dead["SqsManagedSseEnabled"] is True


def test_queues_refuse_requests_without_tls(templates: Mapping[str, Template]) -> None:
    refusing = [
        statement
        for _, statement in statements.of_resources(templates["storage"], "AWS::SQS::QueuePolicy")
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    ]

    assert len(refusing) == len(resources(templates["storage"], "AWS::SQS::Queue")) == 2


def test_tables_can_be_restored_to_any_second_and_are_protected(templates: Mapping[str, Template]) -> None:
    for name, table in each(templates, "AWS::DynamoDB::Table"):
        properties = table["Properties"]
        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}, name
        assert properties["DeletionProtectionEnabled"] is True, name
        assert properties["BillingMode"] == "PAY_PER_REQUEST", name
        assert properties["SSESpecification"]["SSEType"] == "KMS", name


def test_tables_have_the_keys_that_the_library_uses(templates: Mapping[str, Template]) -> None:
    keys = {
        name[:7]: [key["AttributeName"] for key in table["Properties"]["KeySchema"]]
        for name, table in resources(templates["records"], "AWS::DynamoDB::Table").items()
    }

    assert keys == {"Records": ["study_instance_uid", "entity"], "Rejecti": ["object", "version_id"]}


def test_the_key_is_rotated_and_given_to_services_for_this_account_only(templates: Mapping[str, Template]) -> None:
    [key] = resources(templates["storage"], "AWS::KMS::Key").values()

    assert key["Properties"]["EnableKeyRotation"] is True
    for _, statement in statements.of_resources(templates["storage"], "AWS::KMS::Key"):
        assert not statements.names_everybody(statement)
        if "Service" in statement["Principal"]:
            assert statement["Condition"]


def test_cloudfront_may_read_static_objects_and_write_nothing(templates: Mapping[str, Template]) -> None:
    of_cloudfront = [
        statement
        for _, statement in statements.of_resources(templates["storage"], "AWS::S3::BucketPolicy")
        if statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    ]

    [statement] = of_cloudfront
    assert statement["Action"] == "s3:GetObject"


def test_cloudfront_is_known_by_the_arn_that_its_requests_carry(templates: Mapping[str, Template]) -> None:
    """A condition on a missing key refuses the request, and no document says that CloudFront sends the account."""
    conditions = [
        statement["Condition"]
        for kind in ("AWS::S3::BucketPolicy", "AWS::KMS::Key")
        for _, statement in statements.of_resources(templates["storage"], kind)
        if statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    ]

    assert len(conditions) == 2
    for condition in conditions:
        assert list(condition) == ["ArnLike"]
        assert ':cloudfront::", {"Ref": "AWS::AccountId"}, ":distribution/*"' in json.dumps(condition)


def test_services_use_the_key_for_no_more_than_they_do(templates: Mapping[str, Template]) -> None:
    actions = {
        str(statement["Principal"]["Service"]): set(statements.as_list(statement["Action"]))
        for _, statement in statements.of_resources(templates["storage"], "AWS::KMS::Key")
        if "Service" in statement["Principal"]
    }

    assert actions["cloudfront.amazonaws.com"] == {"kms:Decrypt"}
    # To send to an encrypted topic.
    assert actions["cloudwatch.amazonaws.com"] == {"kms:Decrypt", "kms:GenerateDataKey*"}
    assert len(actions) == 3
