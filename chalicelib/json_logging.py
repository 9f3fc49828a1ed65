"""Log lines as JSON objects on standard error: request ids and UIDs, never names or other patient data.

If the archive has a name, a line with measurements (`metrics.measured`) is written in CloudWatch's embedded metric
format. Without a name the measurements are plain fields.
"""

import logging
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from chalicelib.metrics import Measurements, as_fields, embedded_metric_fields

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The platform's id of the current request or event; it is on every line that is logged for it."""

_LEVELS = {
    # Messages of this logger repeat bytes of the body, which are patient data.
    "python_multipart": logging.CRITICAL,
    "aiohttp.access": logging.WARNING,
    "botocore": logging.WARNING,
}


class _RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        current = request_id.get()
        # A line may carry an id of its own.
        if current is not None and not hasattr(record, "request_id"):
            record.request_id = current
        return True


class _Formatter(JsonFormatter):
    """JSON lines; `archive` is the dimension of the metrics, or None for no metrics."""

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
            log_data |= embedded_metric_fields(
                measurements, archive=self._archive, timestamp_milliseconds=int(record.created * 1000)
            )


def formatter(archive: str | None = None) -> logging.Formatter:
    """Formatter of all log lines of the process."""
    return _Formatter(archive, rename_fields={"levelname": "level", "name": "logger"}, timestamp=True)


def configure_logging(archive: str | None = None) -> None:
    """Set up the logging of the process.

    Parameters
    ----------
    archive
        Name of the archive, the dimension of its metrics; None for no metrics.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(archive))
    handler.addFilter(_RequestIdFilter())
    # Without logging.config, whose import adds 2.5 ms to each cold start. `force` removes Lambda's own handler.
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(level)
