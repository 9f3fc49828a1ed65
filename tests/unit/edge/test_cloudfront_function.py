"""The CloudFront Function as it is deployed, run by node with CloudFront's module replaced by a recorder."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.bundle import MAX_FUNCTION_BYTES, cloudfront_function_source
from tests.unit.edge.conftest import NodeModule

INSTANCE = "/dicomweb/studies/1.2.3/series/4.5/instances/6.7"
Call = Callable[..., tuple[dict[str, Any], list[Any]]]

_RECORDER = """
const calls = [];
const cf = {
  selectRequestOriginById: (id) => calls.push(['select', id]),
  createRequestOriginGroup: (group) => calls.push(['group', group]),
};
function run(event) {
  calls.length = 0;
  return [handler(event), calls];
}
"""


@pytest.fixture(scope="module")
def call() -> Iterator[Call]:
    """Call the function with a viewer request; returns its result, and its calls of CloudFront's module."""
    first_line, rest = cloudfront_function_source().split("\n", 1)
    assert first_line == "import cf from 'cloudfront';"
    with (
        tempfile.TemporaryDirectory(prefix="function-") as directory,
        NodeModule(_RECORDER + rest, Path(directory)) as run,
    ):

        def call_function(
            method: str, uri: str, querystring: dict[str, Any] | None = None, **headers: str
        ) -> tuple[dict[str, Any], list[Any]]:
            request = {
                "method": method,
                "uri": uri,
                "querystring": querystring or {},
                "headers": {name.replace("_", "-"): {"value": value} for name, value in headers.items()},
            }
            result, calls = run({"version": "1.0", "request": request})
            return result, calls

        yield call_function


def test_function_is_small_enough_with_room_for_a_change() -> None:
    assert len(cloudfront_function_source().encode()) < MAX_FUNCTION_BYTES - 256


def test_function_uses_only_what_the_runtime_knows() -> None:
    # JavaScript runtime 2.0 does not support these, but V8, which runs the other tests, does.
    source = cloudfront_function_source()
    for pattern in (
        r"\bfor \(.* of ",
        r"\.\.\.",
        r"\bclass ",
        r"(const|let) [{\[]",
        r"\?\.",
        r"\?\?",
        r"\bexport\b",
    ):
        assert not re.search(pattern, source), pattern


def test_stored_object_comes_from_the_bucket_and_else_from_the_api(call: Call) -> None:
    request, calls = call("GET", f"{INSTANCE}//metadata", {"a": {"value": "b"}}, accept_encoding="gzip, br")
    origins = [{"originId": "static"}, {"originId": "api"}]
    assert calls == [["group", {"originIds": origins, "failoverCriteria": {"statusCodes": [403, 404]}}]]
    assert request["uri"] == f"{INSTANCE}/metadata"
    assert request["querystring"] == {}
    assert request["headers"]["x-variant"] == {"value": "static"}


def test_identity_copy_has_an_origin_and_a_cache_entry_of_its_own(call: Call) -> None:
    request, calls = call("GET", f"{INSTANCE}/metadata")
    assert calls[0][1]["originIds"] == [{"originId": "static-identity"}, {"originId": "api"}]
    assert request["uri"] == f"{INSTANCE}/metadata"
    assert request["headers"]["x-variant"] == {"value": "static-identity"}


def test_made_representations_are_cached_by_what_was_asked(call: Call) -> None:
    request, calls = call("GET", f"{INSTANCE}/frames/1", accept="image/png", x_variant="static")
    assert calls == [["select", "api"]]
    assert request["headers"]["x-variant"] == {"value": "api image/png"}


def test_api_is_always_told_what_is_accepted(call: Call) -> None:
    # Without Accept, API Gateway would return the body in base64.
    for path in (INSTANCE, "/dicomweb/studies"):
        request, _ = call("GET", path)
        assert request["headers"]["accept"] == {"value": "*/*"}
        request, _ = call("GET", path, accept="application/json")
        assert request["headers"]["accept"] == {"value": "application/json"}


def test_search_keeps_its_query(call: Call) -> None:
    query = {"PatientName": {"value": "a%2A"}, "includefield": {"value": "1", "multiValue": [{"value": "1"}]}}
    request, calls = call("GET", "/qido/studies", query, accept_encoding="gzip")
    assert calls == [["select", "api"]]
    assert request["uri"] == "/dicomweb/studies"
    assert request["querystring"] == query


def test_wado_uri_is_known_by_its_query(call: Call) -> None:
    request, calls = call("GET", "/wado", {"requestType": {"value": "WADO"}, "objectUID": {"value": "1"}})
    assert calls == [["select", "api"]]
    assert request["uri"] == "/dicomweb"


def test_store_and_viewer_have_their_origins(call: Call) -> None:
    request, calls = call("POST", "/dicomweb/studies/1.2")
    assert (request["uri"], calls) == ("/studies/1.2", [["select", "stow"]])
    request, calls = call("GET", "/viewer", {"StudyInstanceUIDs": {"value": "1.2"}})
    assert (request["uri"], calls) == ("/index.html", [["select", "viewer"]])


def test_refusal_is_answered_with_json_and_cors(call: Call) -> None:
    answer, calls = call("PUT", "/dicomweb/studies")
    assert calls == []
    assert answer["statusCode"] == 405
    assert answer["headers"]["allow"] == {"value": "GET, HEAD, POST, OPTIONS"}
    assert answer["headers"]["access-control-allow-origin"] == {"value": "*"}
    assert answer["headers"]["x-content-type-options"] == {"value": "nosniff"}
    assert answer["body"]["encoding"] == "text"
    assert list(json.loads(answer["body"]["data"])) == ["error"]


def test_preflight_is_answered(call: Call) -> None:
    answer, calls = call("OPTIONS", "/dicomweb/studies", origin="https://viewer.example")
    assert calls == []
    assert answer["statusCode"] == 204
    assert answer["headers"]["access-control-allow-methods"] == {"value": "GET, HEAD, POST, OPTIONS"}
