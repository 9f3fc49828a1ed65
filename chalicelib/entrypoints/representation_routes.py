"""WADO-RS routes for what the static bucket did not have (PS3.18 §10.4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.wado.representation import Answer, Wanted
from chalicelib.entrypoints import http
from chalicelib.errors import NotImplementedResourceError

if TYPE_CHECKING:  # what makes them imports pydicom, and a search must not
    from chalicelib.services.make_representation import MakeRepresentation

representation_routes = Blueprint(__name__)

_STUDY = "/dicomweb/studies/{study_instance_uid}"
_SERIES = _STUDY + "/series/{series_instance_uid}"
_INSTANCE = _SERIES + "/instances/{sop_instance_uid}"


@representation_routes.route(_STUDY + "/metadata", methods=http.READ)
@http.view
def study_metadata(study_instance_uid: str) -> Response:
    """Metadata of a study."""
    return _response(_make().metadata(ResourceUids(study_instance_uid), _wanted()))


@representation_routes.route(_SERIES + "/metadata", methods=http.READ)
@http.view
def series_metadata(study_instance_uid: str, series_instance_uid: str) -> Response:
    """Metadata of a series."""
    return _response(_make().metadata(ResourceUids(study_instance_uid, series_instance_uid), _wanted()))


@representation_routes.route(_INSTANCE + "/metadata", methods=http.READ)
@http.view
def instance_metadata(study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str) -> Response:
    """Metadata of an instance."""
    return _response(
        _make().metadata(ResourceUids(study_instance_uid, series_instance_uid, sop_instance_uid), _wanted())
    )


@representation_routes.route(_INSTANCE, methods=http.READ)
@http.view
def instance(study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str) -> Response:
    """The instance itself."""
    return _response(
        _make().instance(ResourceUids(study_instance_uid, series_instance_uid, sop_instance_uid), _wanted())
    )


@representation_routes.route(_INSTANCE + "/frames/{frame_list}", methods=http.READ)
@http.view
def frames(study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str, frame_list: str) -> Response:
    """Frames of an instance."""
    return _response(
        _make().frames(ResourceUids(study_instance_uid, series_instance_uid, sop_instance_uid), frame_list, _wanted())
    )


@representation_routes.route(_INSTANCE + "/bulkdata/{path}", methods=http.READ)
@http.view
def bulk_data(study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str, path: str) -> Response:
    """Bulk data of an instance."""
    return _response(
        _make().bulk_data(ResourceUids(study_instance_uid, series_instance_uid, sop_instance_uid), path, _wanted())
    )


@representation_routes.route(_STUDY, methods=http.READ, name="study")
@representation_routes.route(_SERIES, methods=http.READ, name="series")
@representation_routes.route(_STUDY + "/rendered", methods=http.READ, name="rendered_study")
@representation_routes.route(_SERIES + "/rendered", methods=http.READ, name="rendered_series")
@representation_routes.route(_INSTANCE + "/rendered", methods=http.READ, name="rendered_instance")
@representation_routes.route(_INSTANCE + "/frames/{frame_list}/rendered", methods=http.READ, name="rendered_frames")
@representation_routes.route(_STUDY + "/thumbnail", methods=http.READ, name="study_thumbnail")
@representation_routes.route(_SERIES + "/thumbnail", methods=http.READ, name="series_thumbnail")
@representation_routes.route(_INSTANCE + "/thumbnail", methods=http.READ, name="instance_thumbnail")
@representation_routes.route(_INSTANCE + "/frames/{frame_list}/thumbnail", methods=http.READ, name="frame_thumbnail")
@http.view
def not_implemented(**_uids: str) -> Response:
    """Whole studies and series as DICOM, and rendered images."""
    raise NotImplementedResourceError("this archive does not make rendered images, nor whole studies or series")


def _make() -> MakeRepresentation:
    return http.services().representations


def _wanted() -> Wanted:
    request = representation_routes.current_request
    # The query parameter stands in for the header (PS3.18 §8.3.3.1).
    accept = dict(http.query_pairs(request)).get("accept", request.headers.get("accept"))
    return Wanted.from_headers(accept, request.headers.get("accept-encoding"))


def _response(answer: Answer) -> Response:
    if answer.location is not None:
        # 307 keeps the method; the location of a kept object may change, so nobody may remember it.
        return Response(b"", status_code=307, headers={"Location": answer.location, "Cache-Control": "no-store"})
    headers: dict[str, str | list[str]] = {"Content-Type": answer.content_type, "Cache-Control": answer.cache_control}
    if answer.content_encoding:
        headers["Content-Encoding"] = answer.content_encoding
    return Response(answer.body, status_code=200, headers=headers)
