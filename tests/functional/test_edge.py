"""The local edge: nginx with the routing module, over origins that record their requests."""

import gzip
import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from localstack.waiting import wait_until
from tests.support.edge_parts import Answer, Edge, running_edge

INSTANCE = "/dicomweb/studies/1.2/series/3/instances/4"
FRAME_KEY = "dicomweb/studies/1.2/series/3/instances/4/frames/1"
FRAME = f"/{FRAME_KEY}"
STUDY_METADATA = "/dicomweb/studies/1.2/metadata"
API = "/restapis/abc/api/_user_request_"
IMMUTABLE = "public, max-age=31536000, immutable"
EVERY_PATH = ["/dicomweb/studies", FRAME, STUDY_METADATA, "/dicomweb/nothing", "/dicomweb/%zz", "/missing.js"]


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("viewer")
    files = {
        "index.html": b"<!doctype html>",
        "app-config.js": b"OHIF's own",
        "our-config.js": b"window.config = {}",
        "decoder.wasm": b"\0asm",
    }
    for name, content in files.items():
        (directory / name).write_bytes(content)
    return directory


@pytest.fixture
def edge(viewer: Path) -> Iterator[Edge]:
    with running_edge(viewer) as running:
        yield running


def test_second_read_of_an_immutable_object_asks_no_origin(edge: Edge) -> None:
    edge.store_object(FRAME_KEY, b"pixels" * 1000, IMMUTABLE, '"f"')
    first = edge.get(FRAME)
    second = edge.get(FRAME)
    assert gzip.decompress(second.body) == b"pixels" * 1000
    assert second.body == first.body
    assert second.headers["content-encoding"] == "gzip"
    assert second.headers["etag"] == '"f"'
    assert second.headers["cache-control"] == IMMUTABLE
    assert second.headers["x-cache"] == "HIT"
    assert edge.bucket.targets() == [f"/static/{FRAME_KEY}"]
    assert edge.api.requests == []


def test_aggregate_is_revalidated_at_each_read_and_a_new_version_is_seen_at_once(edge: Edge) -> None:
    key = STUDY_METADATA[1:]
    edge.store_object(key, b"[1]", "no-cache", '"one"')
    assert gzip.decompress(edge.get(STUDY_METADATA).body) == b"[1]"
    assert gzip.decompress(edge.get(STUDY_METADATA).body) == b"[1]"
    edge.store_object(key, b"[1,2]", "no-cache", '"two"')
    assert gzip.decompress(edge.get(STUDY_METADATA).body) == b"[1,2]"
    asked = [request.headers.get("If-None-Match") for request in edge.bucket.requests]
    assert asked == [None, '"one"', '"one"']


@pytest.mark.parametrize(("target", "cache_control"), [(FRAME, IMMUTABLE), (STUDY_METADATA, "no-cache")])
def test_client_that_has_the_version_gets_304(edge: Edge, target: str, cache_control: str) -> None:
    edge.store_object(target[1:], b"[1]", cache_control, '"one"')
    for _ in range(2):
        answer = edge.get(target, If_None_Match='"one"')
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["etag"] == '"one"'
    assert edge.get(target, If_None_Match='"other"').status == 200


def test_search_is_never_cached_and_its_query_arrives_as_sent(edge: Edge) -> None:
    body = b'[{"0020000D": {"vr": "UI"}}]'
    headers = {"Content-Type": "application/dicom+json", "Cache-Control": "max-age=60", "ETag": '"s"'}
    edge.api.answers[f"{API}/dicomweb/studies"] = Answer(200, body, headers)
    query = "PatientName=O%27Brien%2A&includefield=0008103E%2C00080021&00100020=%e6%97%a5"
    for _ in range(2):
        answer = edge.get(f"/qido/studies?{query}", Accept="application/dicom+json")
        assert (answer.status, answer.body) == (200, body)
        assert answer.headers["content-type"] == "application/dicom+json"
    assert edge.api.targets() == [f"{API}/dicomweb/studies?{query}"] * 2
    assert edge.api.requests[0].headers["Accept"] == "application/dicom+json"
    assert edge.bucket.requests == []


def test_empty_search_stays_204_with_its_headers(edge: Edge) -> None:
    warning = '299 archive: "fuzzymatching is not supported"'
    edge.api.answers[f"{API}/dicomweb/series"] = Answer(204, b"", {"Warning": warning})
    answer = edge.get("/dicomweb/series?limit=1")
    assert answer.status == 204
    assert answer.headers["warning"] == warning


@pytest.mark.parametrize("status", [403, 404])
def test_missing_object_is_asked_of_the_api_with_the_same_headers_and_query(edge: Edge, status: int) -> None:
    made = f"{API}{INSTANCE}/rendered"
    edge.bucket.answers[f"/static{INSTANCE}/rendered"] = Answer(
        status, b"<Error/>", {"Content-Type": "application/xml"}
    )
    edge.api.answers[made] = Answer(200, b"JPEG", {"Content-Type": "image/jpeg", "Cache-Control": IMMUTABLE})
    answer = edge.get(f"{INSTANCE}/rendered", Accept="image/jpeg")
    assert (answer.status, answer.body) == (200, b"JPEG")
    assert answer.headers["content-type"] == "image/jpeg"
    assert edge.api.targets() == [made]
    assert edge.api.requests[0].headers["Accept"] == "image/jpeg"
    assert edge.api.requests[0].headers["Accept-Encoding"] == "gzip"


def test_object_made_meanwhile_is_found_since_a_miss_is_not_remembered(edge: Edge) -> None:
    assert edge.get(FRAME).status == 404
    edge.store_object(FRAME_KEY, b"pixels", IMMUTABLE, '"f"')
    assert edge.get(FRAME).status == 200
    assert edge.api.targets() == [f"{API}{FRAME}"]


def test_resource_that_does_not_exist_is_the_apis_404_never_the_buckets_xml(edge: Edge) -> None:
    error = b'{"error": "There is no such frame"}'
    edge.api.answers[f"{API}{FRAME}"] = Answer(404, error, {"Content-Type": "application/json"})
    answer = edge.get(FRAME)
    assert (answer.status, answer.body) == (404, error)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("from_gateway", "status"), [(403, 404), (502, 503), (504, 503)])
@pytest.mark.parametrize("path", ["/dicomweb/studies", f"{INSTANCE}/something"])
def test_api_gateways_own_faults_are_put_in_the_archives_words(
    edge: Edge, path: str, from_gateway: int, status: int
) -> None:
    edge.api.answers[API + path] = Answer(from_gateway, b'{"message": "Missing Authentication Token"}')
    answer = edge.get(path)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert list(json.loads(answer.body)) == ["error"]


@pytest.mark.parametrize("status", [400, 404, 406, 413, 500, 501, 503])
def test_errors_of_the_api_itself_come_through(edge: Edge, status: int) -> None:
    error = b'{"error": "in its own words"}'
    for path in ("/dicomweb/studies", FRAME):
        edge.api.answers[API + path] = Answer(status, error, {"Content-Type": "application/json"})
        answer = edge.get(path)
        assert (answer.status, answer.body) == (status, error)


def test_client_is_sent_on_to_a_kept_representation(edge: Edge) -> None:
    location = {"Location": f"{INSTANCE}/kept/large"}
    edge.api.answers[f"{API}{INSTANCE}"] = Answer(307, b"", location)
    edge.store_object(f"{INSTANCE[1:]}/kept/large", b"large", IMMUTABLE, '"k"', is_gzip=False)
    answer = edge.get(INSTANCE)
    assert (answer.status, answer.headers["location"]) == (307, f"{INSTANCE}/kept/large")
    assert edge.get(answer.headers["location"]).body == b"large"


def test_client_without_gzip_gets_its_own_copy_else_asks_the_api_for_it(edge: Edge) -> None:
    edge.store_object(FRAME_KEY, b"pixels", IMMUTABLE, '"f"')
    edge.api.answers[f"{API}{FRAME}"] = Answer(200, b"pixels", {"Content-Type": "multipart/related"})
    assert edge.get(FRAME).headers["content-encoding"] == "gzip"
    for _ in range(2):
        answer = edge.request("GET", FRAME)
        assert answer.body == b"pixels"
        assert "content-encoding" not in answer.headers
    assert edge.api.targets() == [f"{API}{FRAME}"] * 2

    edge.store_object(f"identity/{FRAME_KEY}", b"pixels", IMMUTABLE, '"i"', is_gzip=False)
    for _ in range(2):
        answer = edge.request("GET", FRAME, {"Accept-Encoding": "identity"})
        assert (answer.body, answer.headers["etag"]) == (b"pixels", '"i"')
    assert edge.get(FRAME).headers["etag"] == '"f"'
    # One read of each of the two copies, and two reads for which there was no identity copy.
    assert edge.bucket.targets().count(f"/static/{FRAME_KEY}") == 1
    assert edge.bucket.targets().count(f"/static/identity/{FRAME_KEY}") == 3
    assert len(edge.api.requests) == 2


def test_head_has_the_headers_of_get_and_no_body(edge: Edge) -> None:
    edge.store_object(FRAME_KEY, b"pixels", IMMUTABLE, '"f"')
    edge.api.answers[f"{API}/dicomweb/studies"] = Answer(200, b"[]", {"Content-Type": "application/dicom+json"})
    for target in (FRAME, "/dicomweb/studies", "/"):
        head = edge.request("HEAD", target, {"Accept-Encoding": "gzip"})
        get = edge.get(target)
        assert (head.status, head.body) == (200, b"")
        for name in ("content-type", "content-length"):
            assert head.headers[name] == get.headers[name]
    # API Gateway has no HEAD routes. The bucket is asked a second time if the answer to HEAD, which needs no body,
    # was sent before the body was in the cache.
    assert {request.method for request in edge.bucket.requests} == {"GET"}
    assert [request.method for request in edge.api.requests] == ["GET", "GET"]


def fill_cache(edge: Edge, path: str) -> None:
    """Request an object until the edge answers it without its origin: nginx may answer before it has cached it."""

    def is_cached() -> bool:
        asked = len(edge.bucket.requests)
        edge.get(path)
        return len(edge.bucket.requests) == asked

    wait_until(is_cached, f"{path} in the cache of the edge", seconds=10)


@pytest.mark.parametrize("is_cached", [False, True])
def test_range_of_a_stored_object_is_206(edge: Edge, is_cached: bool) -> None:
    edge.store_object(FRAME_KEY, b"0123456789", IMMUTABLE, '"f"', is_gzip=False)
    if is_cached:
        fill_cache(edge, FRAME)
    asked = len(edge.bucket.requests)
    answer = edge.get(FRAME, Range="bytes=2-4")
    assert (answer.status, answer.body) == (206, b"234")
    assert answer.headers["content-range"] == "bytes 2-4/10"
    assert edge.get(FRAME, Range="bytes=-1", If_Range='"f"').body == b"9"
    assert edge.get(FRAME, Range="bytes=-1", If_Range='"old"').body == b"0123456789"
    beyond = edge.get(FRAME, Range="bytes=99-")
    assert (beyond.status, beyond.headers["access-control-allow-origin"]) == (416, "*")
    if is_cached:
        assert len(edge.bucket.requests) == asked
    # nginx reads the whole object for the first range, but may answer the range before the object is in the cache.
    assert {request.headers.get("Range") for request in edge.bucket.requests} == {None}


def test_bucket_sees_no_header_and_no_query_of_the_client(edge: Edge) -> None:
    edge.store_object(FRAME_KEY, b"pixels", IMMUTABLE, '"f"')
    target = f"{FRAME}?versionId=1&acl&response-content-type=text/html"
    assert edge.get(target, Authorization="Bearer x", Range="bytes=0-0").status == 206
    request = edge.bucket.requests[0]
    assert request.target == f"/static/{FRAME_KEY}"
    assert {name.lower() for name in request.headers} == {"host"}


def test_own_headers_of_the_services_are_hidden(edge: Edge) -> None:
    edge.store_object(FRAME_KEY, b"pixels", IMMUTABLE, '"f"')
    own = {"x-amzn-RequestId": "1", "Access-Control-Allow-Origin": "https://elsewhere", "Vary": "Origin"}
    edge.api.answers[f"{API}/dicomweb/studies"] = Answer(200, b"[]", own)
    for target in (FRAME, "/dicomweb/studies"):
        answer = edge.get(target)
        assert not [name for name in answer.headers if name.startswith(("x-amz", "x-accel"))]
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize("target", EVERY_PATH)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_every_answer_lets_other_origins_read_it(edge: Edge, method: str, target: str) -> None:
    answer = edge.request(method, target, {"Origin": "https://viewer.example"})
    assert answer.status >= 400
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert {"Warning", "ETag", "Content-Location", "Content-Encoding"} <= set(exposed)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_preflight_is_answered_by_the_edge_alone(edge: Edge) -> None:
    answer = edge.request(
        "OPTIONS",
        "/dicomweb/studies",
        {"Origin": "https://viewer.example", "Access-Control-Request-Method": "POST"},
    )
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Content-Type" in answer.headers["access-control-allow-headers"]
    assert edge.api.requests == edge.stow.requests == edge.bucket.requests == []


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("PUT", "/dicomweb/studies", 405),
        ("TRACE", "/dicomweb/studies", 405),
        ("GET", "/dicomweb/nothing", 404),
        ("GET", "/dicomweb/studies/%2e%2e/%2e%2e/landing", 400),
        ("GET", "/dicomweb/studies/..%2f..%2flanding/metadata", 400),
        ("GET", "/dicomweb/%zz", 400),
        ("GET", "/dicomweb/%00", 400),
        ("GET", "/missing.js", 404),
        ("GET", "/dicomweb/studies?" + "a" * 9000, 414),
    ],
)
def test_faults_found_at_the_edge_are_json(edge: Edge, method: str, target: str, status: int) -> None:
    answer = edge.request(method, target)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert list(json.loads(answer.body)) == ["error"]
    assert edge.api.requests == edge.bucket.requests == []


def test_internal_locations_cannot_be_asked_for(edge: Edge) -> None:
    edge.store_object("secret", b"secret", IMMUTABLE, '"s"')
    for target in (
        "/_static/secret",
        "/_api/secret",
        "/%5fstatic/secret",
        "/_edge",
        "/_viewer/our-config.js",
    ):
        assert edge.get(target).body in (b"<!doctype html>", b'{"error": "There is no such resource"}')
    assert edge.get("/_fault/unavailable").status == 404
    assert edge.api.requests == edge.bucket.requests == []


def test_service_that_is_down_is_503_in_json(edge: Edge) -> None:
    for origin in (edge.bucket, edge.api, edge.stow):
        origin.server_close()
    for method, target in (("GET", "/dicomweb/studies"), ("GET", FRAME), ("POST", "/studies")):
        answer = edge.request(method, target)
        assert (answer.status, answer.headers["content-type"]) == (503, "application/json")
        assert list(json.loads(answer.body)) == ["error"]
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("target", ["/studies", "/dicomweb/studies", "/studies/1.2", "/dicomweb/studies/1.2"])
def test_store_reaches_the_service_with_the_study_and_its_answer_comes_back(edge: Edge, target: str) -> None:
    path = target.removeprefix("/dicomweb")
    edge.stow.answers[path] = Answer(409, b"{}", {"Content-Type": "application/dicom+json"})
    content_type = 'multipart/related; type="application/dicom"; boundary=myboundary'
    answer = edge.request(
        "POST", target, {"Content-Type": content_type, "Accept": "application/dicom+xml"}, b"\r\n--my"
    )
    assert (answer.status, answer.body) == (409, b"{}")
    request = edge.stow.requests[0]
    assert (request.target, request.body) == (path, b"\r\n--my")
    assert request.headers["Content-Type"] == content_type
    assert request.headers["Accept"] == "application/dicom+xml"


@pytest.mark.parametrize("is_chunked", [False, True])
def test_upload_is_passed_on_while_it_comes(edge: Edge, is_chunked: bool) -> None:
    edge.stow.answers["/studies"] = Answer(200, b"{}")
    piece = bytes(2 * 1024 * 1024)  # more than the edge accepts elsewhere, or would hold in memory
    connection = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=10)
    connection.putrequest("POST", "/studies")
    length = ("Transfer-Encoding", "chunked") if is_chunked else ("Content-Length", str(2 * len(piece)))
    connection.putheader(*length)
    connection.endheaders()

    def send() -> None:
        connection.send(b"%x\r\n%s\r\n" % (len(piece), piece) if is_chunked else piece)

    send()
    with edge.stow.body_grew:
        has_come = edge.stow.body_grew.wait_for(lambda: edge.stow.body_bytes == len(piece), timeout=10)
    assert has_come, "the first half did not arrive before the second was sent"
    send()
    if is_chunked:
        connection.send(b"0\r\n\r\n")
    assert connection.getresponse().status == 200
    connection.close()
    assert len(edge.stow.requests[0].body) == 2 * len(piece)


def test_viewer_and_its_pages_are_served(edge: Edge) -> None:
    for target in ("/", "/viewer?StudyInstanceUIDs=1.2.840.113", "/local/1.2.840"):
        answer = edge.get(target)
        assert (answer.body, answer.headers["content-type"]) == (b"<!doctype html>", "text/html")
        assert answer.headers["cache-control"] == "no-cache"
    assert edge.get("/app-config.js").body == b"window.config = {}"
    assert edge.get("/decoder.wasm").headers["content-type"] == "application/wasm"


def test_connections_to_the_origins_are_kept(edge: Edge) -> None:
    for _ in range(20):
        edge.get("/dicomweb/studies")
    # At most one for each of nginx's workers.
    assert edge.api.connections <= 4


def test_log_holds_no_query(edge: Edge) -> None:
    edge.api.server_close()
    edge.get("/dicomweb/studies?PatientName=Secret")
    edge.get("/viewer?PatientName=Secret")
    log = edge.run_directory / "access.log"
    # Written at the latest when the server ends, or a second after the line.
    _wait_for_line(log)
    assert "Secret" not in log.read_text()
    assert "Secret" not in (edge.run_directory / "error.log").read_text()


def _wait_for_line(log: Path) -> None:
    deadline = time.monotonic() + 5
    while "/_viewer/index.html" not in log.read_text():
        assert time.monotonic() < deadline, "the access log stayed empty"
        time.sleep(0.05)
