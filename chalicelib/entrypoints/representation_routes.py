"""WADO-RS routes for resources that the static bucket does not have (PS3.18 §10.4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.wado.representation import Answer, Wanted
from chalicelib.entrypoints import http, url_templates
from chalicelib.errors import NotImplementedResourceError

if TYPE_CHECKING:  # it imports pydicom, which a search must not load
    from chalicelib.services.make_representation import MakeRepresentation

representation_routes = Blueprint(__name__)


@representation_routes.route(url_templates.STUDY_METADATA, methods=http.READ)
@http.view
def study_metadata(study_instance_uid: str) -> Response:
    """Metadata of a study."""
    return _response(_make().metadata(ResourceUids(study_instance_uid), _wanted()))


@representation_routes.route(url_templates.SERIES_METADATA, methods=http.READ)
@http.view
def series_metadata(study_instance_uid: str, series_instance_uid: str) -> Response:
    """Metadata of a series."""
    return _response(_make().metadata(ResourceUids(study_instance_uid, series_instance_uid), _wanted()))


@representation_routes.route(url_templates.INSTANCE_METADATA, methods=http.READ)
@http.view
def instance_metadata(study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str) -> Response:
    """Metadata of an instance."""
    return _response(
        _make().metadata(ResourceUids(study_instance_uid, series_instance_uid, sop_instance_uid), _wanted())
    )


@representation_routes.route(url_templates.INSTANCE, methods=http.READ)
@http.view
def instance(study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str) -> Response:
    """The instance itself."""
    return _response(
        _make().instance(ResourceUids(study_instance_uid, series_instance_uid, sop_instance_uid), _wanted())
    )


@representation_routes.route(url_templates.FRAMES, methods=http.READ)
@http.view
def frames(study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str, frame_list: str) -> Response:
    """Frames of an instance."""
    return _response(
        _make().frames(ResourceUids(study_instance_uid, series_instance_uid, sop_instance_uid), frame_list, _wanted())
    )


@representation_routes.route(url_templates.BULK_DATA, methods=http.READ)
@http.view
def bulk_data(study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str, path: str) -> Response:
    """Bulk data of an instance."""
    return _response(
        _make().bulk_data(ResourceUids(study_instance_uid, series_instance_uid, sop_instance_uid), path, _wanted())
    )


@representation_routes.route(url_templates.STUDY, methods=http.READ, name="study")
@representation_routes.route(url_templates.SERIES, methods=http.READ, name="series")
@representation_routes.route(url_templates.STUDY + "/rendered", methods=http.READ, name="rendered_study")
@representation_routes.route(url_templates.SERIES + "/rendered", methods=http.READ, name="rendered_series")
@representation_routes.route(url_templates.INSTANCE + "/rendered", methods=http.READ, name="rendered_instance")
@representation_routes.route(url_templates.FRAMES + "/rendered", methods=http.READ, name="rendered_frames")
@representation_routes.route(url_templates.STUDY + "/thumbnail", methods=http.READ, name="study_thumbnail")
@representation_routes.route(url_templates.SERIES + "/thumbnail", methods=http.READ, name="series_thumbnail")
@representation_routes.route(url_templates.INSTANCE + "/thumbnail", methods=http.READ, name="instance_thumbnail")
@representation_routes.route(url_templates.FRAMES + "/thumbnail", methods=http.READ, name="frame_thumbnail")
@http.view
def not_implemented(**_uids: str) -> Response:
    """Whole studies and series as DICOM, and rendered images."""
    raise NotImplementedResourceError("this archive returns neither rendered images nor whole studies or series")


def _make() -> MakeRepresentation:
    return http.services().representations


def _wanted() -> Wanted:
    request = representation_routes.current_request
    # The query parameter takes the place of the header (PS3.18 §8.3.3.1).
    accept = dict(http.query_pairs(request)).get("accept", request.headers.get("accept"))
    return Wanted.from_headers(accept, request.headers.get("accept-encoding"))


def _response(answer: Answer) -> Response:
    if answer.location is not None:
        # 307 keeps the method. The location of a stored object may change, so no cache may keep the redirect.
        return Response(b"", status_code=307, headers={"Location": answer.location, "Cache-Control": "no-store"})
    headers: dict[str, str | list[str]] = {"Content-Type": answer.content_type, "Cache-Control": answer.cache_control}
    if answer.content_encoding:
        headers["Content-Encoding"] = answer.content_encoding
    return Response(answer.body, status_code=200, headers=headers)
