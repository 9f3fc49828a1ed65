"""Settings of every process of the archive, from a mapping; the one place that knows the variables' names."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MIB = 1024 * 1024


def landing_queue_name(environment: Mapping[str, str]) -> str:
    """Name of the landing queue; the one setting that is needed to declare the functions."""
    return environment.get("LANDING_QUEUE_NAME") or "landing"


def archive_name(environment: Mapping[str, str]) -> str | None:
    """What the metrics name the archive by; None where none are wanted."""
    return environment.get("ARCHIVE_NAME") or None


class DatabaseTls(StrEnum):
    """How connections to the database are encrypted."""

    PREFERRED = "preferred"  # where the server offers it; the server is believed
    REQUIRED = "required"  # always; the server is believed
    VERIFIED = "verified"  # always, and the server's certificate and name are checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the archive's parts are, and its limits.

    Endpoints, region and credentials of AWS are boto3's own variables (``AWS_ENDPOINT_URL``, …).
    """

    landing_bucket: str
    static_bucket: str
    records_table: str
    rejections_table: str
    database_secret_id: str
    landing_queue_name: str = "landing"
    # A message that failed comes again after this time, later each time it fails; if unset, when the queue's
    # time-out is over.
    landing_retry_seconds: int | None = None
    # What the archive is called in its metrics; there are none if unset.
    archive_name: str | None = None
    # Public DICOMweb root; BulkDataURI and RetrieveURL begin with it. Path-absolute where unset.
    dicomweb_root: str = "/dicomweb"
    # Of the user who makes the schema and the user above; the function that does so needs it, no other.
    database_master_secret_id: str | None = None
    database_tls: DatabaseTls = DatabaseTls.PREFERRED
    # PEM file of the authorities that the database's certificate is checked against; those of RDS if unset.
    database_ca_file: str | None = None
    # Landing objects up to this size are parsed in memory, larger ones through a temporary file.
    in_memory_bytes: int = 16 * MIB
    # A deflated data set may inflate to this size (a "deflate bomb" otherwise).
    max_inflated_bytes: int = 512 * MIB
    # One instance of a STOW-RS request may hold this many bytes.
    max_instance_bytes: int = 5 * 1024 * MIB

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings.

        Raises
        ------
        KeyError
            With the name of the variable that is missing.
        ValueError
            With the name of the variable that makes no sense.
        """
        env = _set_variables(environment)
        return cls(
            landing_bucket=env["LANDING_BUCKET"],
            static_bucket=env["STATIC_BUCKET"],
            records_table=env["RECORDS_TABLE"],
            rejections_table=env["REJECTIONS_TABLE"],
            database_secret_id=env["DATABASE_SECRET_ID"],
            database_master_secret_id=env.get("DATABASE_MASTER_SECRET_ID"),
            database_tls=_database_tls(env),
            landing_queue_name=landing_queue_name(env),
            archive_name=archive_name(env),
            landing_retry_seconds=_number(env, "LANDING_RETRY_SECONDS", None, int),
            dicomweb_root=env.get("DICOMWEB_ROOT", "/dicomweb").rstrip("/"),
            database_ca_file=env.get("DATABASE_CA_FILE"),
            in_memory_bytes=_number(env, "IN_MEMORY_BYTES", 16 * MIB, int),
            max_inflated_bytes=_number(env, "MAX_INFLATED_BYTES", 512 * MIB, int),
            max_instance_bytes=_number(env, "MAX_INSTANCE_BYTES", 5 * 1024 * MIB, int),
        )


def _set_variables(environment: Mapping[str, str] | None) -> Mapping[str, str]:
    """The variables that are set; an empty one counts as not set."""
    given = os.environ if environment is None else environment
    return {name: text for name, text in given.items() if text}


def _number(environment: Mapping[str, str], variable: str, default: Any, kind: Callable[[str], Any]) -> Any:
    text = environment.get(variable)
    if text is None:
        return default
    try:
        return kind(text)
    except ValueError as error:
        expected = "a whole number" if kind is int else "a number"
        raise ValueError(f"{variable} is {text!r}, not {expected}") from error


def _database_tls(environment: Mapping[str, str]) -> DatabaseTls:
    has_authorities = bool(environment.get("DATABASE_CA_FILE"))
    text = environment.get("DATABASE_TLS") or ("verified" if has_authorities else "preferred")
    try:
        tls = DatabaseTls(text)
    except ValueError as error:
        raise ValueError(f"DATABASE_TLS is {text!r}, not one of {', '.join(DatabaseTls)}") from error
    if has_authorities and tls is not DatabaseTls.VERIFIED:
        raise ValueError(f"DATABASE_CA_FILE is given, but DATABASE_TLS is {text!r}: nothing would be checked")
    return tls


@dataclass(frozen=True, slots=True, kw_only=True)
class StowSettings:
    """Where the store service listens, and its own limits."""

    host: str = "127.0.0.1"
    port: int = 8080
    # A client that sends nothing for so long while we wait is answered 408.
    idle_timeout_seconds: float = 30.0
    # Requests under way get this long to end after SIGTERM; the platform's limit is longer (ECS: 120 s).
    shutdown_timeout_seconds: float = 100.0
    # Memory of all requests together for what is received and not yet stored.
    buffer_bytes: int = 96 * MIB
    # Instances up to this size are checked whole; larger ones travel in blocks of it (S3: at least 5 MiB).
    in_memory_bytes: int = 8 * MIB
    uploads_per_request: int = 4
    upload_threads: int = 16
    max_instances: int = 50_000

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "StowSettings":
        """Read the settings."""
        env = _set_variables(environment)
        return cls(
            host=env.get("STOW_HOST", "127.0.0.1"),
            port=_number(env, "STOW_PORT", 8080, int),
            idle_timeout_seconds=_number(env, "STOW_IDLE_TIMEOUT_SECONDS", 30, float),
            shutdown_timeout_seconds=_number(env, "STOW_SHUTDOWN_TIMEOUT_SECONDS", 100, float),
            buffer_bytes=_number(env, "STOW_BUFFER_BYTES", 96 * MIB, int),
            in_memory_bytes=_number(env, "STOW_IN_MEMORY_BYTES", 8 * MIB, int),
            uploads_per_request=_number(env, "STOW_UPLOADS_PER_REQUEST", 4, int),
            upload_threads=_number(env, "STOW_UPLOAD_THREADS", 16, int),
            max_instances=_number(env, "STOW_MAX_INSTANCES", 50_000, int),
        )
