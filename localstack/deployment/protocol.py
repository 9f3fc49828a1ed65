"""Interface of the ways in which the harness deploys the archive; each way has a module of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from localstack.parts.mariadb import Database
from localstack.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """Address and settings of a deployed archive.

    `api_url` has no trailing slash; `store_settings` are the environment variables of the STOW service.
    """

    api_url: str
    store_settings: Mapping[str, str]


class DeploymentMethod(Protocol):
    """Creates the archive's AWS resources in two steps, before and after the database's start; both may be repeated."""

    def prepare(self, progress: Progress, database_port: int) -> Database:
        """Create the secret with the database's account, and all else that must exist before the database starts."""

    def complete(self, progress: Progress, database: Database) -> Deployed:
        """Create the rest while the database runs."""
