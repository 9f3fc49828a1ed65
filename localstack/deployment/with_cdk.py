"""The archive as the CDK application creates it: the stacks that are deployed to AWS, deployed to the emulator.

Strategy: the database of the emulated cluster is the harness's own server, which must know the account that the
index stack generates. Therefore the templates are written once and deployed in two steps. The stacks that hold data
come first, then the server is started with the account, then the other stacks follow, whose migration logs in with it.
The functions check the server's certificate, as they do on AWS: the certificate of its authority is added to a copy of
the sources, as an operator would add one.
"""

import json
import os
import shutil
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trustme

from cdk.project import CHALICE_CONFIGURATION, CHALICE_SOURCES, PROJECT, copy_sources
from localstack.commands import run_logged
from localstack.configuration import HOST, Configuration
from localstack.deployment.protocol import Deployed
from localstack.parts.aws import EmulatedAws
from localstack.parts.mariadb import Database
from localstack.processes import clean_environment
from localstack.progress import Progress

NAME = "archive"
_ACCOUNT = "000000000000"
_DATA_STACKS = ("storage", "records", "index")
_CDK = PROJECT / "cdk" / "node_modules" / ".bin" / "cdk"
_SOURCES = (*CHALICE_SOURCES, str(CHALICE_CONFIGURATION), "edge", "cdk", "stow_nlb")
AUTHORITY = "chalicelib/certificates/harness.pem"
_TIMEOUT_SECONDS = 900  # the first time, pip downloads the package's dependencies


class CdkDeployment:
    """One archive's stacks.

    Parameters
    ----------
    aws
        The emulator that they are deployed to.
    configuration
        Settings of the archive; its state directory holds templates and outputs.
    dicomweb_root
        URL of the DICOMweb root at the edge.

    Attributes
    ----------
    sources
        Directory of the copy of the project that is deployed.
    """

    def __init__(self, aws: EmulatedAws, configuration: Configuration, dicomweb_root: str) -> None:
        self._aws = aws
        self._dicomweb_root = dicomweb_root
        self._region = configuration.region
        self._log = configuration.layout.logs / "cdk.log"
        self.sources = configuration.layout.app / "sources"
        self._assembly = configuration.layout.app / "cdk.out"
        self._certificates = configuration.layout.data / "certificates"
        self._directory = configuration.layout.run

    def prepare(self, progress: Progress, database_port: int) -> Database:
        """Write the templates and deploy the stacks that hold data; returns the account of the database cluster."""
        with progress.step("CDK: templates, storage, records and index"):
            self._assemble()
            self._synthesize()
            self._cdk("bootstrap", f"aws://{_ACCOUNT}/{self._region}")
            outputs = self.deploy(*_DATA_STACKS)
        secret = self._aws.client("secretsmanager").get_secret_value(SecretId=outputs["DatabaseMasterSecretArn"])
        account = json.loads(secret["SecretString"])
        return Database(
            port=database_port,
            function_host=account["host"],
            function_port=account["port"],
            name=account["dbname"],
            user=account["username"],
            password=account["password"],
            administrator=True,
            certificate=self._certificates / "server.pem",
        )

    def complete(self, progress: Progress, _database: Database) -> Deployed:
        """Deploy all other stacks; their migration creates the schema and the account of the functions."""
        with progress.step("CDK: application, store, edge and operations") as step:
            outputs = self.deploy()
            step.detail = f"{len(outputs)} outputs"
        api = urlsplit(outputs["ApiUrl"])  # https://<id>.execute-api.<region>.amazonaws.com/<stage>
        api_id = str(api.hostname).partition(".")[0]
        return Deployed(
            api_url=f"{self._aws.endpoint}/restapis/{api_id}{api.path.rstrip('/')}/_user_request_",
            store_settings=self._store_settings(),
        )

    def deploy(self, *stacks: str) -> dict[str, str]:
        """Deploy the named stacks, or all if none is named; returns their outputs."""
        outputs = self._directory / "cdk-outputs.json"
        self._cdk(
            "deploy",
            *(["--exclusively", *(f"{NAME}-{stack}" for stack in stacks)] if stacks else ["--all"]),
            "--require-approval=never",
            f"--outputs-file={outputs}",
        )
        by_stack: dict[str, dict[str, str]] = json.loads(outputs.read_text())
        return {name: value for values in by_stack.values() for name, value in values.items()}

    def destroy(self) -> None:
        """Destroy all stacks."""
        self._cdk("destroy", "--all", "--force")

    def _assemble(self) -> None:
        """Copy the sources and add the authority of the database's certificate; the first call creates both."""
        shutil.rmtree(self.sources, ignore_errors=True)
        copy_sources(_SOURCES, self.sources)
        authority, server = self._certificates / "authority.pem", self._certificates / "server.pem"
        if not authority.exists():
            self._certificates.mkdir(mode=0o700, exist_ok=True)
            issuer = trustme.CA()
            issuer.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(server)
            issuer.cert_pem.write_to_path(authority)
        target = self.sources / AUTHORITY
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(authority, target)

    def _synthesize(self) -> None:
        configuration = self._directory / "deployment.toml"
        configuration.write_text(_toml(self._deployment()))
        viewer = self._directory / "viewer"  # a stand-in: the local edge serves OHIF from a directory
        viewer.mkdir(exist_ok=True)
        (viewer / "index.html").write_text("<!doctype html><title>Viewer</title>\n")
        places = {"DEPLOYMENT": configuration, "CDK_OUTDIR": self._assembly, "VIEWER_DIRECTORY": viewer}
        self._run([sys.executable, "-m", "cdk"], {name: str(path) for name, path in places.items()})

    def _deployment(self) -> Mapping[str, Any]:
        """Return the configuration that an operator would write; nothing reads the certificate and the image."""
        return {
            "name": NAME,
            "account": _ACCOUNT,
            "region": self._region,
            "certificate_arn": f"arn:aws:acm:{self._region}:{_ACCOUNT}:certificate/{uuid.UUID(int=0)}",
            "stow_fqdn": "stow.archive.example",
            "dicomweb_root": self._dicomweb_root,
            "store_image": "registry.example/stow:1",
            "database_ca_file": AUTHORITY,
            "deletion_protection": False,
        }

    def _store_settings(self) -> dict[str, str]:
        """Return the environment of the store's container from its task definition."""
        resources = self._aws.client("cloudformation").describe_stack_resources(StackName=f"{NAME}-store")
        [task] = [
            resource["PhysicalResourceId"]
            for resource in resources["StackResources"]
            if resource["ResourceType"] == "AWS::ECS::TaskDefinition"
        ]
        definition = self._aws.client("ecs").describe_task_definition(taskDefinition=task)["taskDefinition"]
        [container] = definition["containerDefinitions"]
        return {variable["name"]: variable["value"] for variable in container["environment"]}

    def _cdk(self, command: str, *arguments: str) -> None:
        self._run([str(_CDK), command, *arguments, f"--app={self._assembly}", "--progress=events"], {})

    def _run(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        binaries = str(Path(sys.executable).parent)  # has node
        inherited = clean_environment()
        run_logged(
            f"{Path(command[0]).name} {command[1]}",
            command,
            self._log,
            timeout_seconds=_TIMEOUT_SECONDS,
            environment={
                **inherited,
                **self._aws.environment(),
                **environment,
                "PATH": f"{binaries}{os.pathsep}{inherited['PATH']}",
                "CI": "true",
            },
            directory=self.sources,
        )


def _toml(values: Mapping[str, Any]) -> str:
    """Return TOML text: strings, numbers and arrays are written in TOML as they are in JSON."""
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
