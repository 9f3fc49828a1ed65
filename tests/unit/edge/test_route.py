"""The routing table of the edge, in both engines that run it."""

import json

import pytest

from tests.unit.edge.conftest import Route

INSTANCE = "/dicomweb/studies/1.2.3/series/4.5/instances/6.7"
DICOM = 'multipart/related; type="application/dicom"'
OCTETS = 'multipart/related; type="application/octet-stream"'
# The Accept headers of OHIF 3.13 and of Chromium.
OHIF_FRAMES = "multipart/related; type=application/octet-stream; transfer-syntax=*"
IMG_ELEMENT = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "resource",
    [
        "studies",
        "series",
        "instances",
        "studies/1.2.3/series",
        "studies/1.2.3/instances",
        "studies/1.2.3/series/4.5/instances",
    ],
)
@pytest.mark.parametrize("root", ["/dicomweb", "/qido"])
def test_search_goes_to_the_api_below_both_roots(route: Route, method: str, root: str, resource: str) -> None:
    decision = route(method, f"{root}/{resource}", "PatientName=a&limit=1", accept="application/dicom+json")
    assert decision == {"origin": "api", "path": f"/dicomweb/{resource}"}


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        (f"{INSTANCE}/frames/1", OHIF_FRAMES),
        (f"{INSTANCE}/frames/1", OCTETS),
        (f"{INSTANCE}/frames/1", 'multipart/related; type="image/*"'),
        (f"{INSTANCE}/frames/1", 'multipart/related; type="*/*"; transfer-syntax=*'),
        (f"{INSTANCE}/frames/1", "multipart/related"),
        (f"{INSTANCE}/frames/1", f'{OCTETS}, multipart/related; type="image/jls"'),
        (f"{INSTANCE}/frames/1", "*/*"),
        (f"{INSTANCE}/frames/1", None),
        (f"{INSTANCE}/frames/1", ""),
        (f"{INSTANCE}/frames/1,2,3", OCTETS),
        (f"{INSTANCE}/bulkdata/00420011", OCTETS),
        (f"{INSTANCE}/bulkdata/00400100/0/00420011", None),
        (f"{INSTANCE}/metadata", "application/dicom+json"),
        (f"{INSTANCE}/metadata", "application/json"),
        (f"{INSTANCE}/metadata", "Application/DICOM+JSON; charset=utf-8"),
        (f"{INSTANCE}/metadata", "application/*"),
        (
            f"{INSTANCE}/metadata",
            'multipart/related; type="application/dicom+xml"; q=0.5, application/dicom+json',
        ),
        ("/dicomweb/studies/1.2.3/series/4.5/metadata", "application/dicom+json"),
        ("/dicomweb/studies/1.2.3/metadata", None),
        (INSTANCE, DICOM),
        (INSTANCE, "multipart/related; type=application/dicom; transfer-syntax=*"),
        (INSTANCE, "*/*"),
        (f"{INSTANCE}/rendered", "image/jpeg"),
        (f"{INSTANCE}/rendered", IMG_ELEMENT),
        (f"{INSTANCE}/frames/2/rendered", None),
        ("/dicomweb/studies/1.2.3/series/4.5/thumbnail", IMG_ELEMENT),
        ("/dicomweb/studies/1.2.3/anything/the/api/may/keep", "image/gif"),
    ],
)
def test_stored_form_is_asked_of_the_bucket(route: Route, path: str, accept: str | None) -> None:
    decision = route("GET", path, accept=accept)
    assert decision == {"origin": "static", "path": path, "key": path.lstrip("/")}


@pytest.mark.parametrize(
    ("path", "query", "accept"),
    [
        (f"{INSTANCE}/frames/1", "", 'multipart/related; type="image/jls"'),
        (f"{INSTANCE}/frames/1", "", f"{OCTETS}; transfer-syntax=1.2.840.10008.1.2.1"),
        (f"{INSTANCE}/frames/1", "", "image/jpeg"),
        (f"{INSTANCE}/frames/1", "", f"{DICOM}"),
        (f"{INSTANCE}/frames/1", "", f'{OCTETS}; q=0.1, multipart/related; type="image/jls"'),
        (f"{INSTANCE}/frames/1", "", "*/*;q=0"),
        (f"{INSTANCE}/frames/1", "accept=image/jpeg", None),
        (INSTANCE, "", "application/dicom"),
        (INSTANCE, "", f"{DICOM}; transfer-syntax=1.2.840.10008.1.2.4.50"),
        (INSTANCE, "", f"{DICOM}, image/jpeg"),
        (f"{INSTANCE}/bulkdata/00420011", "", "application/pdf"),
        (f"{INSTANCE}/metadata", "", 'multipart/related; type="application/dicom+xml"'),
        (f"{INSTANCE}/metadata", "", "application/dicom+json;q=0, */*"),
        (f"{INSTANCE}/metadata", "", "text/html"),
        (f"{INSTANCE}/rendered", "", "image/png"),
        (f"{INSTANCE}/rendered", "window=40,400,linear", None),
        (f"{INSTANCE}/thumbnail", "viewport=256%2C256", IMG_ELEMENT),
        ("/dicomweb/studies/1.2.3", "", DICOM),
        ("/dicomweb/studies/1.2.3/series/4.5", "", DICOM),
    ],
)
def test_other_forms_are_asked_of_the_api(route: Route, path: str, query: str, accept: str | None) -> None:
    assert route("GET", path, query, accept=accept) == {"origin": "api", "path": path}


@pytest.mark.parametrize("path", ["/dicomweb", "/dicomweb/", "/wado", "/qido"])
def test_wado_uri_goes_to_the_api(route: Route, path: str) -> None:
    query = "requestType=WADO&studyUID=1&seriesUID=2&objectUID=3"
    assert route("GET", path, query) == {"origin": "api", "path": "/dicomweb"}


@pytest.mark.parametrize(
    ("accept_encoding", "takes_gzip"),
    [
        ("gzip, deflate, br, zstd", True),
        ("x-gzip", True),
        ("GZIP;q=0.1", True),
        ("*", True),
        ("br, *;q=0.5", True),
        (None, False),
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*;q=0", False),
    ],
)
def test_clients_without_gzip_get_the_identity_copy(
    route: Route, accept_encoding: str | None, takes_gzip: bool
) -> None:
    decision = route("GET", f"{INSTANCE}/metadata", accept_encoding=accept_encoding)
    prefix = "" if takes_gzip else "identity/"
    assert decision["key"] == f"{prefix}dicomweb/studies/1.2.3/series/4.5/instances/6.7/metadata"
    assert decision["path"] == f"{INSTANCE}/metadata"


@pytest.mark.parametrize(
    ("path", "at_service"),
    [
        ("/dicomweb/studies", "/studies"),
        ("/dicomweb/studies/", "/studies"),
        ("/dicomweb/studies/1.2.3", "/studies/1.2.3"),
        ("/studies", "/studies"),
        ("/studies/1.2.3", "/studies/1.2.3"),
    ],
)
def test_post_of_studies_goes_to_the_store(route: Route, path: str, at_service: str) -> None:
    assert route("POST", path, accept="application/dicom+xml") == {"origin": "store", "path": at_service}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/dicomweb/studies", "GET, HEAD, POST, OPTIONS"),
        ("DELETE", "/dicomweb/studies/1.2.3", "GET, HEAD, POST, OPTIONS"),
        ("POST", "/dicomweb/series", "GET, HEAD, OPTIONS"),
        ("POST", f"{INSTANCE}/metadata", "GET, HEAD, OPTIONS"),
        ("PATCH", "/wado", "GET, HEAD, OPTIONS"),
        ("POST", "/viewer", "GET, HEAD"),
        ("POST", "/studies/1/series/2", "GET, HEAD"),
    ],
)
def test_other_methods_are_refused_with_those_allowed(route: Route, method: str, path: str, allowed: str) -> None:
    decision = route(method, path)
    assert (decision["origin"], decision["status"]) == ("edge", 405)
    assert decision["headers"]["Allow"] == allowed
    assert list(json.loads(decision["body"])) == ["error"]


@pytest.mark.parametrize("path", ["/dicomweb/studies", f"{INSTANCE}/frames/1", "/qido/studies", "/wado", "/studies"])
def test_preflight_is_answered_at_the_edge(route: Route, path: str) -> None:
    decision = route("OPTIONS", path)
    assert (decision["origin"], decision["status"], decision["body"]) == ("edge", 204, "")
    assert decision["headers"]["Access-Control-Allow-Methods"] == "GET, HEAD, POST, OPTIONS"
    allowed = decision["headers"]["Access-Control-Allow-Headers"].split(", ")
    assert {"Accept", "Authorization", "Content-Type", "If-None-Match", "Range"} <= set(allowed)


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/", "/index.html"),
        ("/index.html", "/index.html"),
        ("/viewer", "/index.html"),
        ("/viewer/", "/index.html"),
        ("/viewer/1.2.840.113", "/index.html"),
        ("/studies", "/index.html"),
        ("/dicomwebs/studies", "/index.html"),
        ("/_static/dicomweb/studies", "/index.html"),
        ("/a path/with%20blanks", "/index.html"),
        ("/app-config.js", "/app-config.js"),
        ("/assets//images/x-1_2.png", "/assets/images/x-1_2.png"),
        ("/libs/charls.wasm", "/libs/charls.wasm"),
    ],
)
def test_everything_else_is_the_viewers(route: Route, path: str, file: str) -> None:
    assert route("GET", path) == {"origin": "viewer", "path": file}


@pytest.mark.parametrize(
    "path",
    [
        "/dicomweb/studies/../../landing/secret",
        "/dicomweb/studies/%2e%2e/%2E%2E/landing",
        "/dicomweb/studies/..%2f..%2flanding",
        "/dicomweb/studies/1%2f..%2f..%2flanding",
        "/dicomweb/studies/.%2e/x/metadata",
        "/dicomweb/studies/..%5clanding/metadata",
        "/dicomweb/./studies",
        "/../etc/passwd.txt",
        "/assets/%2e%2e/%2e%2e/passwd.txt",
        "/dicomweb/studies/1%2f2/metadata",
        "/dicomweb/studies/1%5c2/metadata",
        "/dicomweb/studies/%00/metadata",
        "/dicomweb/studies/1%0d%0aHost:%20x/metadata",
        "/dicomweb/studies/1%3fversionId=2/metadata",
        "/dicomweb/studies/1%23/metadata",
        "/dicomweb/studies/%2531/metadata",
        "/dicomweb/studies/%e6%97%a5/metadata",
        "/dicomweb/studies/.hidden/metadata",
        "/dicomweb/studies/$uri/metadata",
        "/dicomweb/studies/<script>/metadata",
        "/dicomweb/studies/%zz",
        "/dicomweb/studies/%",
        "/dicomweb/studies/%c3%28/metadata",
        "/%zz",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_hostile_path_is_refused_and_not_echoed(route: Route, method: str, path: str) -> None:
    decision = route(method, path)
    assert (decision["origin"], decision["status"]) == ("edge", 400)
    assert decision["headers"] == {"Content-Type": "application/json", "Cache-Control": "no-store"}
    message = json.loads(decision["body"])["error"]
    assert "script" not in message
    assert "landing" not in message


@pytest.mark.parametrize("path", ["/a%00.js", "/a%3f.js", "/$x.js", "/%252e.js"])
def test_viewer_file_with_an_odd_name_does_not_exist(route: Route, path: str) -> None:
    assert route("GET", path)["status"] == 404


@pytest.mark.parametrize("path", ["/dicomweb", "/dicomweb/x", "/dicomweb/series/1", "/dicomweb/instances/1/metadata"])
def test_what_is_no_resource_is_404(route: Route, path: str) -> None:
    decision = route("GET", path, "requestType=other")
    assert (decision["origin"], decision["status"]) == ("edge", 404)


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/dicomweb//studies/", "/dicomweb/studies"),
        ("//dicomweb/studies", "/dicomweb/studies"),
        ("/dicomweb/studies/1.2.3//series", "/dicomweb/studies/1.2.3/series"),
        ("/dicomweb/studies/1%2e2%2E3/series", "/dicomweb/studies/1.2.3/series"),
        ("/%64icomweb/studies", "/dicomweb/studies"),
    ],
)
def test_spellings_of_one_path_are_one(route: Route, path: str, canonical: str) -> None:
    assert route("GET", path) == {"origin": "api", "path": canonical}


def test_frame_list_may_be_percent_encoded(route: Route) -> None:
    assert route("GET", f"{INSTANCE}/frames/1%2C2%2c3")["path"] == f"{INSTANCE}/frames/1,2,3"


@pytest.mark.parametrize(
    "accept", ['"', '";,', ";;,,=", ";q=", "a" * 5000, '"' + "," * 5000, "multipart/related; type"]
)
def test_malformed_accept_never_fails(route: Route, accept: str) -> None:
    assert route("GET", f"{INSTANCE}/frames/1", accept=accept)["origin"] in ("static", "api")
    assert route("GET", f"{INSTANCE}/frames/1", accept_encoding=accept)["origin"] == "static"
