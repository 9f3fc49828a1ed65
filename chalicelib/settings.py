"""Settings of all processes of the archive, read from environment variables.

Strategy: each setting is one row, a field of `Settings` or `StowSettings`: its default is the field's, and `_row` adds
the variable, the meaning and the parser. `docs/settings_table.py` writes the rows into the README; nothing repeats
them. An empty variable counts as not set.

pydantic-settings was measured and is not used: a model of pydantic adds 79 ms to every cold start, and 9 MB to the
package, to replace `_read`.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import StrEnum
from typing import Any

MIB = 1024 * 1024
GIB = 1024 * MIB


class DatabaseTls(StrEnum):
    """How connections to the database are encrypted."""

    PREFERRED = "preferred"  # if the server offers TLS; its certificate is not checked
    REQUIRED = "required"  # always; the certificate is not checked
    VERIFIED = "verified"  # always, and the server's certificate and name are checked


def _row(variable: str, meaning: str, parse: Callable[[str], object] = str) -> dict[str, Any]:
    """Metadata of a setting's field."""
    return {"variable": variable, "meaning": meaning, "parse": parse}


# The values that each parser accepts, for messages of errors.
_EXPECTED: dict[Callable[[str], object], str] = {
    int: "a whole number",
    float: "a number",
    DatabaseTls: f"one of {', '.join(DatabaseTls)}",
}


def _without_slash(text: str) -> str:
    return text.rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the functions and of the STOW service.

    Endpoints, region and credentials of AWS are boto3's own variables (``AWS_ENDPOINT_URL``, …).
    """

    landing_bucket: str = field(metadata=_row("LANDING_BUCKET", "bucket of the files as received; it is versioned"))
    static_bucket: str = field(metadata=_row("STATIC_BUCKET", "bucket of the objects as served"))
    records_table: str = field(metadata=_row("RECORDS_TABLE", "DynamoDB table of the records of instances"))
    rejections_table: str = field(
        metadata=_row("REJECTIONS_TABLE", "DynamoDB table of the files that cannot be published, with the reasons")
    )
    database_secret_id: str = field(
        metadata=_row("DATABASE_SECRET_ID", "secret with host, port, username, password, dbname (RDS format)")
    )
    landing_queue_name: str = field(
        default="landing", metadata=_row("LANDING_QUEUE_NAME", "queue of the landing bucket's events")
    )
    landing_retry_seconds: int | None = field(
        default=None,
        metadata=_row(
            "LANDING_RETRY_SECONDS",
            "delay before a failed message is retried; it quadruples with each attempt. Without it, a message is "
            "retried after the visibility timeout of the queue",
            int,
        ),
    )
    archive_name: str | None = field(
        default=None,
        metadata=_row("ARCHIVE_NAME", "name of the archive in its CloudWatch metrics; without it there are no metrics"),
    )
    dicomweb_root: str = field(
        default="/dicomweb",
        metadata=_row(
            "DICOMWEB_ROOT",
            "public root URL or path; BulkDataURI and RetrieveURL begin with it, and it is written into stored "
            "metadata",
            _without_slash,
        ),
    )
    database_master_secret_id: str | None = field(
        default=None,
        metadata=_row(
            "DATABASE_MASTER_SECRET_ID",
            "secret of the user who creates the schema and the user of the index; only the function `migrate` needs it",
        ),
    )
    database_tls: DatabaseTls = field(
        default=DatabaseTls.PREFERRED,
        metadata=_row(
            "DATABASE_TLS",
            "TLS to the database: `preferred` (if the server offers it), `required`, or `verified` (the server's "
            "certificate and name are checked)",
            DatabaseTls,
        ),
    )
    database_ca_file: str | None = field(
        default=None,
        metadata=_row(
            "DATABASE_CA_FILE",
            "PEM file of the authorities that `verified` trusts, in place of those of Amazon RDS; if it is set, "
            "`DATABASE_TLS` is `verified` by default",
        ),
    )
    in_memory_bytes: int = field(
        default=16 * MIB,
        metadata=_row(
            "IN_MEMORY_BYTES",
            "landing objects up to this size are converted in memory, larger ones through a temporary file",
            int,
        ),
    )
    max_inflated_bytes: int = field(
        default=512 * MIB,
        metadata=_row(
            "MAX_INFLATED_BYTES", "largest size that a deflated data set may inflate to (against deflate bombs)", int
        ),
    )
    max_instance_bytes: int = field(
        default=5 * GIB, metadata=_row("MAX_INSTANCE_BYTES", "largest instance that STOW-RS accepts", int)
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings.

        Raises
        ------
        KeyError
            A required variable is missing; the error holds its name.
        ValueError
            A variable has no valid value; the message names it.
        """
        env = os.environ if environment is None else environment
        values = _read(fields(cls), env)
        if values["database_ca_file"] is not None:
            if not env.get("DATABASE_TLS"):
                values["database_tls"] = DatabaseTls.VERIFIED
            tls = values["database_tls"]
            if tls is not DatabaseTls.VERIFIED:
                raise ValueError(
                    f"DATABASE_CA_FILE is given, but DATABASE_TLS is {tls.value!r}: no certificate would be checked"
                )
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class StowSettings:
    """Settings of the STOW service alone: where it listens, and its limits."""

    host: str = field(default="127.0.0.1", metadata=_row("STOW_HOST", "address that the service listens on"))
    port: int = field(default=8080, metadata=_row("STOW_PORT", "port that the service listens on", int))
    idle_timeout_seconds: float = field(
        default=30.0,
        metadata=_row(
            "STOW_IDLE_TIMEOUT_SECONDS", "a client that sends nothing for this long is answered with status 408", float
        ),
    )
    shutdown_timeout_seconds: float = field(
        default=100.0,
        metadata=_row(
            "STOW_SHUTDOWN_TIMEOUT_SECONDS",
            "time that requests get to finish after SIGTERM; less than the platform allows (ECS: 120 s)",
            float,
        ),
    )
    buffer_bytes: int = field(
        default=96 * MIB,
        metadata=_row(
            "STOW_BUFFER_BYTES", "memory that all requests share for data that is received and not yet stored", int
        ),
    )
    in_memory_bytes: int = field(
        default=8 * MIB,
        metadata=_row(
            "STOW_IN_MEMORY_BYTES",
            "instances up to this size are checked completely before they are stored; larger ones are uploaded in "
            "blocks of this size (S3: at least 5 MiB)",
            int,
        ),
    )
    uploads_per_request: int = field(
        default=4, metadata=_row("STOW_UPLOADS_PER_REQUEST", "concurrent uploads to S3 of one request", int)
    )
    upload_threads: int = field(
        default=16, metadata=_row("STOW_UPLOAD_THREADS", "concurrent uploads to S3 of the process", int)
    )
    max_instances: int = field(
        default=50_000, metadata=_row("STOW_MAX_INSTANCES", "largest number of instances in one request", int)
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "StowSettings":
        """Read the settings.

        Raises
        ------
        ValueError
            A variable has no valid value; the message names it.
        """
        return cls(**_read(fields(cls), os.environ if environment is None else environment))


def landing_queue_name(environment: Mapping[str, str]) -> str:
    """Name of the landing queue: the only setting that is needed to declare the functions."""
    return str(_read_setting("landing_queue_name", environment))


def archive_name(environment: Mapping[str, str]) -> str | None:
    """Name of the archive in its metrics, or None for no metrics; needed before the first log line."""
    name: str | None = _read_setting("archive_name", environment)
    return name


def _read_setting(name: str, environment: Mapping[str, str]) -> Any:
    return _read(tuple(each for each in fields(Settings) if each.name == name), environment)[name]


def _read(settings: tuple[Field[Any], ...], environment: Mapping[str, str]) -> dict[str, Any]:
    """Values by the fields' names: parsed from the variables that are set, defaults for the others."""
    values = {}
    for each in settings:
        variable, parse = each.metadata["variable"], each.metadata["parse"]
        text = environment.get(variable)
        if text:
            try:
                values[each.name] = parse(text)
            except ValueError as error:
                raise ValueError(f"{variable} is {text!r}, not {_EXPECTED[parse]}") from error
        elif each.default is MISSING:
            raise KeyError(variable)
        else:
            values[each.name] = each.default
    return values
