"""One log line for each request to the API, with its measurements and the template of its URL."""

import logging
import time
from collections.abc import Callable

from chalice.app import Request, Response

from chalicelib.entrypoints import url_templates
from chalicelib.metrics import REQUEST_ERRORS, REQUEST_MILLISECONDS, Resource, is_error, measured

logger = logging.getLogger(__name__)

RESOURCE_OF_TEMPLATE = {
    url_templates.STUDIES: Resource.STUDY_SEARCH,
    url_templates.ALL_SERIES: Resource.SERIES_SEARCH,
    url_templates.ALL_INSTANCES: Resource.INSTANCE_SEARCH,
    url_templates.SERIES_OF_STUDY: Resource.SERIES_SEARCH,
    url_templates.INSTANCES_OF_STUDY: Resource.INSTANCE_SEARCH,
    url_templates.INSTANCES_OF_SERIES: Resource.INSTANCE_SEARCH,
    url_templates.STUDY_METADATA: Resource.METADATA,
    url_templates.SERIES_METADATA: Resource.METADATA,
    url_templates.INSTANCE_METADATA: Resource.METADATA,
    url_templates.INSTANCE: Resource.INSTANCE,
    url_templates.FRAMES: Resource.FRAMES,
    url_templates.BULK_DATA: Resource.BULK_DATA,
}
"""Kind of resource by route template; every other route is answered with 501."""


def log_request(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Middleware: log a request. Its query and path may contain patient data, so neither is logged."""
    begun = time.monotonic()
    response = get_response(request)
    milliseconds = (time.monotonic() - begun) * 1000
    template = request.context["resourcePath"]
    status = response.status_code
    logger.info(
        "request",
        extra=measured(
            {REQUEST_MILLISECONDS: round(milliseconds, 2), REQUEST_ERRORS: is_error(status)},
            RESOURCE_OF_TEMPLATE.get(template, Resource.NOT_IMPLEMENTED),
            method=request.method,
            template=template,
            status=status,
        ),
    )
    return response
