"""HTTP entry point of search: the six QIDO-RS resources (PS3.18 §10.6.1.1)."""

from chalice.app import Blueprint, Response

from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.media_types import MULTIPART_RELATED
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.qido.response import AnswerFormat, choose_media_type
from chalicelib.entrypoints import http, url_templates

search_routes = Blueprint(__name__)


@search_routes.route(url_templates.STUDIES, methods=http.READ)
@http.view
def search_for_studies() -> Response:
    """All studies."""
    return _search(Level.STUDY)


@search_routes.route(url_templates.ALL_SERIES, methods=http.READ)
@http.view
def search_for_series() -> Response:
    """Series of all studies."""
    return _search(Level.SERIES)


@search_routes.route(url_templates.ALL_INSTANCES, methods=http.READ)
@http.view
def search_for_instances() -> Response:
    """Instances of all studies."""
    return _search(Level.INSTANCE)


@search_routes.route(url_templates.SERIES_OF_STUDY, methods=http.READ)
@http.view
def search_for_series_of_study(study_instance_uid: str) -> Response:
    """Series of one study."""
    return _search(Level.SERIES, study_instance_uid)


@search_routes.route(url_templates.INSTANCES_OF_STUDY, methods=http.READ)
@http.view
def search_for_instances_of_study(study_instance_uid: str) -> Response:
    """Instances of one study."""
    return _search(Level.INSTANCE, study_instance_uid)


@search_routes.route(url_templates.INSTANCES_OF_SERIES, methods=http.READ)
@http.view
def search_for_instances_of_series(study_instance_uid: str, series_instance_uid: str) -> Response:
    """Instances of one series."""
    return _search(Level.INSTANCE, study_instance_uid, series_instance_uid)


def _search(level: Level, study_instance_uid: str | None = None, series_instance_uid: str | None = None) -> Response:
    request = search_routes.current_request
    pairs = http.query_pairs(request)
    answer_format = AnswerFormat(choose_media_type(_accept(request.headers.get("accept"), pairs)))
    query = QidoQuery.parse(
        level,
        [(name, value) for name, value in pairs if name != "accept"],
        study_instance_uid=study_instance_uid,
        series_instance_uid=series_instance_uid,
    )
    service = http.services().search
    answer = service.search(query, answer_format.render)
    headers: dict[str, str | list[str]] = {"Cache-Control": "no-cache"}
    if answer.warnings:
        # One field with a list: not every proxy keeps a repeated field.
        headers["Warning"] = ", ".join(f'299 {service.dicomweb_root}: "{warning}"' for warning in answer.warnings)
    # An empty page (limit=0) can be returned as a JSON array, but not as a multipart body.
    if not answer.results and (answer.remaining == 0 or answer_format.media_type == MULTIPART_RELATED):
        return Response(body="", status_code=204, headers=headers)
    headers["Content-Type"], body = answer_format.assemble(answer.results)
    return Response(body=body, status_code=200, headers=headers)


def _accept(header: str | None, pairs: list[tuple[str, str]]) -> str | None:
    """The query parameter ``accept``, or else the header (PS3.18 §8.3.3.1)."""
    return next((value for name, value in pairs if name == "accept"), header)
