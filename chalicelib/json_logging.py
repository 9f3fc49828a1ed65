"""Log lines as JSON objects on standard error: request ids and UIDs, never names or other patient data."""

import logging.config
from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""What the platform calls the request or event under way; on every line that is logged for it."""


class _RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        current = request_id.get()
        # A line may bring its own.
        if current is not None and not hasattr(record, "request_id"):
            record.request_id = current
        return True


_CONFIGURATION = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(levelname)s %(name)s %(message)s",
            "rename_fields": {"levelname": "level", "name": "logger"},
            "timestamp": True,
        }
    },
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


def configure_logging() -> None:
    """Set up the logging of the process."""
    logging.config.dictConfig(_CONFIGURATION)
