"""The STOW-RS service over HTTP: routes, bodies as they arrive, errors as JSON. It contains no rule of DICOM."""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from chalicelib.dicomweb.media_types import DICOM
from chalicelib.dicomweb.resources import check_uid
from chalicelib.dicomweb.stow.request import choose_response_type, find_boundary
from chalicelib.dicomweb.stow.response import StoreReport, render
from chalicelib.errors import BadRequestError, DicomwebError, MalformedMultipartError
from chalicelib.metrics import (
    INSTANCES_NOT_STORED,
    INSTANCES_STORED,
    REQUEST_ERRORS,
    STORE_REQUEST_MILLISECONDS,
    STORED_BYTES,
    Metric,
    Resource,
    Value,
    is_error,
    measured,
)
from chalicelib.services.store_instances import IncomingPart, StoreInstances
from stow_nlb.multipart_body import MultipartBody

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_REQUEST_ID = web.RequestKey("request_id", str)
_REPORT = web.RequestKey("report", StoreReport)


class RequestTimeoutError(BadRequestError):
    """The client stopped sending."""

    status = 408


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """Settings that the routes need."""

    dicomweb_root: str
    idle_timeout_seconds: float


_STORE = web.AppKey("store", StoreInstances)
_OPTIONS = web.AppKey("options", ServiceOptions)


def create_app(store: StoreInstances, options: ServiceOptions) -> web.Application:
    """Create the application; it closes `store` when it ends."""
    # A body is never read by aiohttp as a whole, so its size limit does not apply.
    app = web.Application(middlewares=[_answer_errors])
    app[_STORE] = store
    app[_OPTIONS] = options
    for root in ("", "/dicomweb"):
        app.router.add_post(f"{root}/studies", store_instances)
        app.router.add_post(f"{root}/studies/{{study_instance_uid}}", store_instances)
    app.router.add_get("/health", health)
    app.on_cleanup.append(_close_store)
    return app


async def health(_request: web.Request) -> web.Response:
    """Report that the process answers. It does not check S3 or DynamoDB: their faults are reported with status 503."""
    return web.json_response({"status": "ok"})


async def store_instances(request: web.Request) -> web.Response:
    """Store the instances of the body (PS3.18 §10.5)."""
    study_instance_uid = request.match_info.get("study_instance_uid")
    if study_instance_uid is not None:
        check_uid(study_instance_uid, "the study in the URL")
    media_type = choose_response_type(_joined(request, "Accept"))
    boundary = find_boundary(request.headers.get("Content-Type"))
    body = _body(request)
    parts = _one_part(body) if boundary is None else MultipartBody(body, boundary).parts()
    report = await request.app[_STORE].store(
        parts, request_id=request[_REQUEST_ID], study_instance_uid=study_instance_uid
    )
    request[_REPORT] = report
    return web.Response(
        status=report.status,
        body=render(report, media_type, dicomweb_root=request.app[_OPTIONS].dicomweb_root),
        content_type=media_type,
    )


def _joined(request: web.Request, name: str) -> str | None:
    """Value of a header that may be sent in several lines, as one list."""
    values = request.headers.getall(name, [])
    return ", ".join(values) if values else None


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it arrives.

    Raises
    ------
    MalformedMultipartError
        The connection or the chunked coding ends before the end of the body.
    RequestTimeoutError
        The client sent nothing for `idle_timeout_seconds`.
    """
    idle_timeout_seconds = request.app[_OPTIONS].idle_timeout_seconds
    while True:
        try:
            async with asyncio.timeout(idle_timeout_seconds):
                chunk = await request.content.readany()
        except TimeoutError as error:
            raise RequestTimeoutError("the client sent nothing for too long") from error
        except (ClientPayloadError, HttpProcessingError, ConnectionError) as error:
            raise MalformedMultipartError("the body of the request is incomplete") from error
        if not chunk:
            return
        yield chunk


@dataclass(slots=True)
class _WholeBody:
    """A body that consists of one instance."""

    body: AsyncIterator[bytes]
    media_type: str = DICOM

    def chunks(self) -> AsyncIterator[bytes]:
        return self.body


async def _one_part(body: AsyncIterator[bytes]) -> AsyncIterator[IncomingPart]:
    yield _WholeBody(body)


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, every error a status and a JSON body, and a store request its log line."""
    begun = time.monotonic()
    request[_REQUEST_ID] = request_id = str(uuid.uuid4())
    try:
        response = await handler(request)
    except DicomwebError as error:
        _log_error(request, error.status, error.message, cause=error if error.status >= 500 else None)
        response = _error_response(error.status, error.message)
    except web.HTTPException as error:  # from the router: no such resource, or no such method
        response = _error_response(error.status, error.reason)
        response.headers.update({k: v for k, v in error.headers.items() if k == "Allow"})
    except Exception as error:
        _log_error(request, 500, "unexpected error", cause=error)
        response = _error_response(500, "internal error")
    response.headers["X-Request-Id"] = request_id
    if request.match_info.handler is store_instances:
        _log(request, response.status, time.monotonic() - begun)
    return response


def _error_response(status: int, message: str) -> web.Response:
    body = json.dumps({"error": message}).encode()
    response = web.Response(status=status, body=body, content_type="application/json")
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response


def _log(request: web.Request, status: int, seconds: float) -> None:
    report = request.get(_REPORT, StoreReport([]))
    values: dict[Metric, Value] = {
        INSTANCES_STORED: len(report.stored),
        INSTANCES_NOT_STORED: len(report.failed),
        STORED_BYTES: sum(instance.size for instance in report.stored),
        STORE_REQUEST_MILLISECONDS: round(seconds * 1000, 2),
        REQUEST_ERRORS: is_error(status),
    }
    fields = {"request_id": request[_REQUEST_ID], "status": status}
    studies = sorted({instance.uids.study_instance_uid for instance in report.stored})
    logger.info("store request", extra=measured(values, Resource.STORE, **fields, study_instance_uids=studies[:10]))
    for failure in report.failed:
        logger.warning(
            "not stored: %s",
            failure.message,
            extra={
                **fields,
                "failure_reason": int(failure.reason),
                "instance": failure.uids.path if failure.uids else None,
            },
        )


def _log_error(request: web.Request, status: int, message: str, *, cause: Exception | None) -> None:
    logger.log(
        logging.ERROR if cause else logging.WARNING,
        "request failed: %s",
        message,
        extra={"request_id": request[_REQUEST_ID], "status": status},
        exc_info=cause,
    )


async def _close_store(app: web.Application) -> None:
    app[_STORE].close()
