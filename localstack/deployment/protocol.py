"""What a way of deploying the archive gives to the harness; one module for each way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from localstack.parts.mariadb import Database
from localstack.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """Where what was deployed is.

    `api_url` has no trailing slash; `store_settings` are the variables of the STOW service's process.
    """

    api_url: str
    store_settings: Mapping[str, str]


class Deployment(Protocol):
    """Makes in AWS what the archive needs, before and after the database's start; both can be repeated."""

    def prepare(self, progress: Progress, database_port: int) -> Database:
        """Make what must be there before the database starts: its account is in a secret."""

    def complete(self, progress: Progress, database: Database) -> Deployed:
        """Make the rest, with the database there."""
