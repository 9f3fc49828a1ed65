"""What all HTTP routes share: the services, the translation of errors, and the headers of every answer."""

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
"""Methods of every route: HEAD is answered as GET, and the gateway leaves the body out (RFC 9110 §9.3.2)."""

# API Gateway passes these on; the edge adds the same to what it serves itself.
_COMMON_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Warning, ETag, Content-Location, Content-Encoding",
    "X-Content-Type-Options": "nosniff",
}


@functools.cache
def services() -> Services:
    """Services of this process, wired from its environment when first asked for."""
    return Services(Settings.from_environment())


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """Query parameters with repeated keys kept; Chalice has None for no query and shows the last of each."""
    parameters = request.query_params
    if parameters is None:
        return []
    return [(name, value) for name in parameters for value in parameters.getlist(name)]


def name_request(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Middleware: the log lines of a request or event carry Lambda's id of it."""
    context = getattr(event, "lambda_context", None) or getattr(event, "context", None)
    json_logging.request_id.set(getattr(context, "aws_request_id", None))
    return get_response(event)


def accept_by_default(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Middleware: who sends no Accept accepts everything (RFC 9110 §12.5.1); Chalice would answer 400."""
    if "accept" not in request.headers:
        request.headers = CaseInsensitiveMapping({**request.headers, "accept": "*/*"})
    return get_response(request)


def view(function: Callable[..., Response]) -> Callable[..., Response]:
    """Under ``@route``: turn errors into answers; Chalice would make a 500 of each.

    The body of every answer is bytes: the API declares all types binary.
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Response:
        try:
            response = function(*args, **kwargs)
        except DicomwebError as error:
            if error.status >= 500:
                logger.exception("request failed")
            response = _error(error.status, error.message)
        except Exception:  # the client learns nothing of a defect but that there is one
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
