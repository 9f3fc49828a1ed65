"""Writes a stage into .chalice/config.json from the stacks' outputs, so that `chalice deploy` deploys the application.

    python -m cdk.application.chalice_stage --name static-dicomweb --stage prod
    chalice deploy --stage prod
    echo '{}' | chalice invoke --stage prod --name migrate

Use it to deploy the application more often than the rest, or to manage the rest by other means. The stacks storage,
records, index and access must be deployed; the application's stack must not. The API's guard is part of the edge stack,
which has to be configured with the API that Chalice creates.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cdk.application.chalice_stage_settings import Resources, stage_settings
from cdk.project import CHALICE_CONFIGURATION, PROJECT

OUTPUTS = {
    "landing_bucket": ("storage", "LandingBucketName"),
    "landing_queue_name": ("storage", "LandingQueueName"),
    "static_bucket": ("storage", "StaticBucketName"),
    "records_table": ("records", "RecordsTableName"),
    "rejections_table": ("records", "RejectionsTableName"),
    "database_secret": ("index", "DatabaseSecretArn"),
    "database_master_secret": ("index", "DatabaseMasterSecretArn"),
    "security_group_id": ("index", "FunctionSecurityGroupId"),
    "search_role_arn": ("access", "SearchRoleArn"),
    "convert_role_arn": ("access", "ConvertRoleArn"),
    "migrate_role_arn": ("access", "MigrateRoleArn"),
}
"""Stack and name of the output for each field of `chalice_stage_settings.Resources`."""

SUBNETS = ("index", "FunctionSubnetIds")
"""Output with the subnets' ids, separated by commas."""

DICOMWEB_ROOT = ("edge", "DicomwebRoot")
"""Output that is used unless the root is given."""


class StageError(Exception):
    """The stage cannot be written; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Outputs of the stacks `<name>-<part>`; each stack is described once."""

    client: Any
    name: str
    read: dict[str, Mapping[str, str]]

    def __getitem__(self, output: tuple[str, str]) -> str:
        """Value of an output.

        Raises
        ------
        StageError
            If the stack or its output does not exist, or the stack cannot be read.
        """
        part, key = output
        if part not in self.read:
            self.read[part] = self._describe(f"{self.name}-{part}")
        try:
            return self.read[part][key]
        except KeyError:
            raise StageError(f"the stack {self.name}-{part} has no output {key}: deploy it again") from None

    def _describe(self, stack: str) -> Mapping[str, str]:
        try:
            [description] = self.client.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            message = error.response["Error"]["Message"]
            if "does not exist" in message:
                raise StageError(
                    f"there is no stack {stack} in this account and region: deploy it, or check --name and --region"
                ) from error
            raise StageError(f"the stack {stack} cannot be read: {message}") from error
        except BotoCoreError as error:
            raise StageError(f"the stack {stack} cannot be read: {error}") from error
        return {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}


def make_stage(
    client: Any, name: str, dicomweb_root: str | None = None, database_ca_file: str | None = None
) -> dict[str, Any]:
    """Return the stage's configuration in the form that Chalice reads.

    Parameters
    ----------
    client
        Client of CloudFormation.
    name
        Name of the deployment, with which the names of its stacks begin.
    dicomweb_root
        Public URL of the DICOMweb root; by default the output of the edge stack.
    database_ca_file
        As in the deployment's configuration.

    Raises
    ------
    StageError
        If a stack or an output is missing.
    """
    outputs = Outputs(client, name, {})
    resources = Resources(
        archive=name,
        dicomweb_root=dicomweb_root or outputs[DICOMWEB_ROOT],
        subnet_ids=outputs[SUBNETS].split(","),
        database_ca_file=database_ca_file,
        **{field: outputs[output] for field, output in OUTPUTS.items()},
    )
    return stage_settings(resources)


def write_stage(path: Path, stage_name: str, stage: Mapping[str, Any]) -> None:
    """Write a stage to Chalice's configuration; it replaces a stage of the same name and leaves the others."""
    configuration = json.loads(path.read_text(encoding="utf-8"))
    configuration.setdefault("stages", {})[stage_name] = stage
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(configuration, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


def main(arguments: Sequence[str] | None = None, client: Any = None) -> int:
    """Write the stage; return the process's exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m cdk.application.chalice_stage", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--name", required=True, help="name of the deployment, as in its configuration")
    parser.add_argument("--stage", required=True, help="name of the stage to write")
    parser.add_argument("--region", help="region of the stacks; by default AWS_DEFAULT_REGION or the profile's region")
    parser.add_argument(
        "--dicomweb-root", help="public URL of the DICOMweb root; by default the output of the edge stack"
    )
    parser.add_argument("--database-ca-file", help="as in the deployment's configuration")
    parser.add_argument("--config", type=Path, default=PROJECT / CHALICE_CONFIGURATION, help="file to write to")
    options = parser.parse_args(arguments)
    try:
        made = client or boto3.client("cloudformation", region_name=options.region)
        stage = make_stage(made, options.name, options.dicomweb_root, options.database_ca_file)
        write_stage(options.config, options.stage, stage)
    except (StageError, BotoCoreError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(
        f"{options.config}: stage {options.stage} written. Deploy it by `chalice deploy --stage {options.stage}`.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
