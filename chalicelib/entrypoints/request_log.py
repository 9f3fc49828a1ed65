"""One log line for each request of the API, with its measurements; nothing of the URL but its template."""

import logging
import time
from collections.abc import Callable

from chalice.app import Request, Response

from chalicelib.metrics import REQUEST_ERRORS, REQUEST_MILLISECONDS, Resource, is_error, measured

logger = logging.getLogger(__name__)

_STUDY = "/dicomweb/studies/{study_instance_uid}"
_SERIES = _STUDY + "/series/{series_instance_uid}"
_INSTANCE = _SERIES + "/instances/{sop_instance_uid}"

RESOURCES = {
    "/dicomweb/studies": Resource.STUDY_SEARCH,
    "/dicomweb/series": Resource.SERIES_SEARCH,
    "/dicomweb/instances": Resource.INSTANCE_SEARCH,
    _STUDY + "/series": Resource.SERIES_SEARCH,
    _STUDY + "/instances": Resource.INSTANCE_SEARCH,
    _SERIES + "/instances": Resource.INSTANCE_SEARCH,
    _STUDY + "/metadata": Resource.METADATA,
    _SERIES + "/metadata": Resource.METADATA,
    _INSTANCE + "/metadata": Resource.METADATA,
    _INSTANCE: Resource.INSTANCE,
    _INSTANCE + "/frames/{frame_list}": Resource.FRAMES,
    _INSTANCE + "/bulkdata/{path}": Resource.BULK_DATA,
}
"""What a route's template asks for; every other is answered 501."""


def log_request(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Middleware: the line of a request. The query is patient data, and so may be a part of a path."""
    begun = time.monotonic()
    response = get_response(request)
    milliseconds = (time.monotonic() - begun) * 1000
    template = request.context["resourcePath"]
    status = response.status_code
    logger.info(
        "request",
        extra=measured(
            {REQUEST_MILLISECONDS: round(milliseconds, 2), REQUEST_ERRORS: is_error(status)},
            RESOURCES.get(template, Resource.NOT_IMPLEMENTED),
            method=request.method,
            template=template,
            status=status,
        ),
    )
    return response
