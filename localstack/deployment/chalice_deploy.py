"""Deploys the Chalice application with the real `chalice deploy`, if it has changed or is not deployed."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cdk.project import CHALICE_CONFIGURATION, CHALICE_SOURCES, committed_configuration, copy_chalice_project
from localstack.configuration import Configuration
from localstack.errors import HarnessError
from localstack.parts.aws import EmulatedAws
from localstack.processes import clean_environment

_TIMEOUT_SECONDS = 600  # the first time, pip downloads the package's dependencies


def stage_configuration(
    committed: Mapping[str, Any], configuration: Configuration, environment: Mapping[str, str]
) -> dict[str, Any]:
    """Return Chalice's configuration with this archive's addresses in the environment of its functions."""
    stage = dict(committed.get("stages", {}).get(configuration.stage, {}))
    functions = {name: dict(settings) for name, settings in stage.get("lambda_functions", {}).items()}
    convert = functions.setdefault("convert", {})
    convert["lambda_timeout"] = configuration.function_timeout_seconds
    stage["lambda_functions"] = functions
    stage["environment_variables"] = {**stage.get("environment_variables", {}), **environment}
    return {**committed, "stages": {configuration.stage: stage}}


def deploy(
    aws: EmulatedAws, configuration: Configuration, environment: Mapping[str, str], log: Path
) -> tuple[str, bool]:
    """Bring the deployed application up to date.

    Returns
    -------
    tuple
        URL of the API, without a trailing slash, and whether it had to be deployed.

    Raises
    ------
    HarnessError
        If a source is missing or `chalice deploy` failed.
    """
    directory = configuration.layout.app
    _copy(directory, configuration, environment)
    digest = _digest(directory)
    kept_digest = directory / "deployed.sha256"
    api_id = _deployed_api(directory, configuration.stage)
    if (
        kept_digest.exists()
        and kept_digest.read_text() == digest
        and api_id is not None
        and _is_there(aws, directory, configuration.stage, api_id)
    ):
        return _api_url(aws, directory, configuration.stage, api_id), False
    if api_id is not None and not _is_there(aws, directory, configuration.stage, api_id):
        # The emulator was killed and lost the application; Chalice's record of it would be wrong.
        (directory / ".chalice" / "deployed" / f"{configuration.stage}.json").unlink()
    kept_digest.unlink(missing_ok=True)
    _run_chalice(aws, directory, configuration.stage, log)
    api_id = _deployed_api(directory, configuration.stage)
    if api_id is None:
        raise HarnessError("chalice deploy created no REST API", log)
    kept_digest.write_text(digest)
    return _api_url(aws, directory, configuration.stage, api_id), True


def _copy(directory: Path, configuration: Configuration, environment: Mapping[str, str]) -> None:
    stage = stage_configuration(committed_configuration(), configuration, environment)
    try:
        copy_chalice_project(directory, stage)
    except FileNotFoundError as error:
        raise HarnessError(f"{error.filename} is missing") from error


def _files(directory: Path) -> Iterator[Path]:
    for name in CHALICE_SOURCES:
        path = directory / name
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.is_file())
        else:
            yield path
    yield directory / CHALICE_CONFIGURATION


def _digest(directory: Path) -> str:
    digest = hashlib.sha256()
    for path in _files(directory):
        digest.update(f"{path.relative_to(directory)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _deployed(directory: Path, stage: str) -> list[dict[str, Any]]:
    path = directory / ".chalice" / "deployed" / f"{stage}.json"
    if not path.exists():
        return []
    resources: list[dict[str, Any]] = json.loads(path.read_text())["resources"]
    return resources


def _deployed_api(directory: Path, stage: str) -> str | None:
    for resource in _deployed(directory, stage):
        if resource["resource_type"] == "rest_api":
            return str(resource["rest_api_id"])
    return None


def _is_there(aws: EmulatedAws, directory: Path, stage: str, api_id: str) -> bool:
    """Whether the emulator still has the API, the functions and the queue's mapping of the last deployment."""
    functions = aws.client("lambda")
    try:
        aws.client("apigateway").get_rest_api(restApiId=api_id)
        for resource in _deployed(directory, stage):
            if resource["resource_type"] == "lambda_function":
                functions.get_function_configuration(FunctionName=resource["lambda_arn"])
            elif resource["resource_type"] == "sqs_event":
                functions.get_event_source_mapping(UUID=resource["event_uuid"])
    except ClientError:
        return False
    return True


def _api_url(aws: EmulatedAws, directory: Path, stage: str, api_id: str) -> str:
    config = json.loads((directory / CHALICE_CONFIGURATION).read_text())
    name = config["stages"][stage].get("api_gateway_stage", "api")
    return f"{aws.endpoint}/restapis/{api_id}/{name}/_user_request_"


def _run_chalice(aws: EmulatedAws, directory: Path, stage: str, log: Path) -> None:
    with log.open("ab") as output:
        result = subprocess.run(
            [
                str(Path(sys.executable).with_name("chalice")),
                "deploy",
                "--stage",
                stage,
                "--connection-timeout",
                "120",
            ],
            cwd=directory,
            env={**clean_environment(), **aws.environment()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    if result.returncode:
        raise HarnessError(f"chalice deploy ended with status {result.returncode}", log)
