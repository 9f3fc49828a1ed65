"""Shared by all HTTP routes: the services, the translation of errors, and the headers of every response."""

import functools
import json
import logging
from collections.abc import Callable
from typing import Any

from chalice.app import CaseInsensitiveMapping, Request, Response

from chalicelib import json_logging
from chalicelib.bootstrap import Services
from chalicelib.errors import DicomwebError
from chalicelib.settings import Settings

logger = logging.getLogger(__name__)

READ = ["GET", "HEAD"]
"""Methods of every route. HEAD is answered like GET; API Gateway removes the body (RFC 9110 §9.3.2)."""

# API Gateway passes these on; the edge adds the same headers to the objects that it serves itself.
_COMMON_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Warning, ETag, Content-Location, Content-Encoding",
    "X-Content-Type-Options": "nosniff",
}


@functools.cache
def services() -> Services:
    """Services of this process, wired from its environment at the first call."""
    return Services(Settings.from_environment())


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """All query parameters in order. Chalice gives None for no query, and only the last value of a repeated key."""
    parameters = request.query_params
    if parameters is None:
        return []
    return [(name, value) for name in parameters for value in parameters.getlist(name)]


def name_request(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Middleware: put Lambda's id of the request or event on its log lines."""
    context = getattr(event, "lambda_context", None) or getattr(event, "context", None)
    json_logging.request_id.set(getattr(context, "aws_request_id", None))
    return get_response(event)


def accept_by_default(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Middleware: a request without Accept accepts everything (RFC 9110 §12.5.1); Chalice would answer 400."""
    if "accept" not in request.headers:
        request.headers = CaseInsensitiveMapping({**request.headers, "accept": "*/*"})
    return get_response(request)


def view(function: Callable[..., Response]) -> Callable[..., Response]:
    """Decorator below ``@route``: turn errors into responses; Chalice would answer 500 to each.

    The body of every response is bytes, because the API declares all types binary.
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Response:
        try:
            response = function(*args, **kwargs)
        except DicomwebError as error:
            if error.status >= 500:
                logger.exception("request failed")
            response = _error(error.status, error.message)
        except Exception:  # the client learns only that there is a defect
            logger.exception("request failed unexpectedly")
            response = _error(500, "internal error")
        response.headers = {**_COMMON_HEADERS, **response.headers}
        if isinstance(response.body, str):
            response.body = response.body.encode()
        return response

    return wrapped


def _error(status: int, message: str) -> Response:
    return Response(
        json.dumps({"error": message}).encode(),
        status_code=status,
        headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
    )
