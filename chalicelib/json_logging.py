"""Log lines as JSON objects on standard error: request ids and UIDs, never names or other patient data.

A line with measurements (`metrics.measured`) becomes one of CloudWatch's embedded metric format where the
archive has a name; elsewhere they are its fields.
"""

import logging.config
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from chalicelib.metrics import Measurements, as_fields, envelope

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""What the platform calls the request or event under way; on every line that is logged for it."""


class _RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        current = request_id.get()
        # A line may bring its own.
        if current is not None and not hasattr(record, "request_id"):
            record.request_id = current
        return True


class _Formatter(JsonFormatter):
    """JSON lines; `archive` is what the metrics are named by, or None."""

    def __init__(self, archive: str | None, **options: Any) -> None:
        super().__init__("%(levelname)s %(name)s %(message)s", **options)
        self._archive = archive

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        super().add_fields(log_data, record, message_dict)
        measurements = log_data.pop("measurements", None)
        if not isinstance(measurements, Measurements):
            return
        log_data |= as_fields(measurements)
        if self._archive is not None:
            log_data |= envelope(measurements, archive=self._archive, timestamp_milliseconds=int(record.created * 1000))


def formatter(archive: str | None = None) -> logging.Formatter:
    """The format of all lines of the process."""
    return _Formatter(archive, rename_fields={"levelname": "level", "name": "logger"}, timestamp=True)


def configure_logging(archive: str | None = None) -> None:
    """Set up the logging of the process.

    Parameters
    ----------
    archive
        Name of the archive, the dimension of its metrics; without one the lines are not metrics.
    """
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": formatter, "archive": archive}},
            "filters": {"request_id": {"()": _RequestIdFilter}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["request_id"]}},
            "root": {"level": "INFO", "handlers": ["stderr"]},
            "loggers": {
                # It repeats bytes of the body, which are patient data.
                "python_multipart": {"level": "CRITICAL"},
                "aiohttp.access": {"level": "WARNING"},
                "botocore": {"level": "WARNING"},
            },
        }
    )
