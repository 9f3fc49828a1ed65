"""Settings of a stage in Chalice's configuration, used by the CDK application and by `chalice deploy`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cdk.configuration.limits import (
    API_TIMEOUT_SECONDS,
    CONVERT_RETRY_SECONDS,
    CONVERT_TIMEOUT_SECONDS,
    FUNCTION_MEMORY_MIB,
    MIGRATE_MEMORY_MIB,
    MIGRATE_TIMEOUT_SECONDS,
)

API_STAGE = "api"
"""Name of the stage in API Gateway, and first segment of its URLs."""

_API = {"lambda_memory_size": FUNCTION_MEMORY_MIB, "lambda_timeout": API_TIMEOUT_SECONDS}
_CONVERT = {"lambda_memory_size": FUNCTION_MEMORY_MIB, "lambda_timeout": CONVERT_TIMEOUT_SECONDS}
_MIGRATE = {"lambda_memory_size": MIGRATE_MEMORY_MIB, "lambda_timeout": MIGRATE_TIMEOUT_SECONDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Names and ARNs of the resources that the functions use, from the stacks' outputs.

    `database_ca_file` is a path in the repository; without it, the authorities are those that chalicelib ships.
    """

    archive: str
    dicomweb_root: str
    landing_bucket: str
    landing_queue_name: str
    static_bucket: str
    records_table: str
    rejections_table: str
    database_secret: str
    database_master_secret: str
    search_role_arn: str
    convert_role_arn: str
    migrate_role_arn: str
    subnet_ids: Sequence[str]
    security_group_id: str
    database_tls: str = "verified"
    database_ca_file: str | None = None


def stage_settings(resources: Resources) -> dict[str, Any]:
    """Return the settings of one stage, in the form of ``.chalice/config.json``."""
    environment = {
        "ARCHIVE_NAME": resources.archive,
        "DICOMWEB_ROOT": resources.dicomweb_root,
        "LANDING_BUCKET": resources.landing_bucket,
        "LANDING_QUEUE_NAME": resources.landing_queue_name,
        "LANDING_RETRY_SECONDS": str(CONVERT_RETRY_SECONDS),
        "STATIC_BUCKET": resources.static_bucket,
        "RECORDS_TABLE": resources.records_table,
        "REJECTIONS_TABLE": resources.rejections_table,
        "DATABASE_SECRET_ID": resources.database_secret,
        "DATABASE_TLS": resources.database_tls,
    }
    if resources.database_ca_file:
        environment["DATABASE_CA_FILE"] = resources.database_ca_file
    return {
        "api_gateway_stage": API_STAGE,
        # An edge-optimised API would add a second CloudFront behind ours, which only costs time.
        "api_gateway_endpoint_type": "REGIONAL",
        "autogen_policy": False,
        "manage_iam_role": False,
        "iam_role_arn": resources.search_role_arn,
        "environment_variables": environment,
        "security_group_ids": [resources.security_group_id],
        "subnet_ids": list(resources.subnet_ids),
        "xray": True,
        "lambda_functions": {
            "api_handler": dict(_API),
            "convert": {**_CONVERT, "iam_role_arn": resources.convert_role_arn},
            "migrate": {
                **_MIGRATE,
                "iam_role_arn": resources.migrate_role_arn,
                # Chalice adds these to the stage's variables.
                "environment_variables": {"DATABASE_MASTER_SECRET_ID": resources.database_master_secret},
            },
        },
    }
