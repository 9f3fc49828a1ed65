"""Log lines as JSON objects on standard error: request ids and UIDs, never names or other patient data."""

import logging.config

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
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
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
