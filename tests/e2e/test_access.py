"""HTTP as browsers and caches rely on it: caching, ranges, HEAD, refusals and CORS."""

import pytest

from tests.e2e.support.clients import DICOM_JSON, get, store
from tests.e2e.support.sources import Source, fresh_uid, fresh_uids
from tests.support.builders import make_instance

IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def source(archive, backend) -> Source:
    data = make_instance(**fresh_uids(), PixelData=bytes(32))
    source = Source(data, [bytes(32)])
    assert store(archive.stow, data).status == 200
    backend.wait_until_searchable(source.study_instance_uid, 1)
    return source


@pytest.mark.parametrize("gzip", [True, False], ids=["gzip", "identity"])
@pytest.mark.parametrize("resource", ["", "/metadata", "/frames/1"])
def test_what_belongs_to_an_instance_is_cached_forever(archive, source, resource, gzip) -> None:
    url = f"{archive.dicomweb}/{source.path}{resource}"
    first, second = get(url, gzip=gzip), get(url, gzip=gzip)
    assert first.headers["Cache-Control"] == second.headers["Cache-Control"] == IMMUTABLE
    assert first.body == second.body
    # The second comes from the bucket, even if a function made the first.
    assert get(url, gzip=gzip, If_None_Match=second.headers["ETag"]).status == 304


@pytest.mark.parametrize("level", ["study", "series"])
def test_an_aggregate_is_revalidated_and_changes_with_the_study(archive, backend, level) -> None:
    study, series = fresh_uid(), fresh_uid()

    def store_another(instances: int) -> None:
        uids = fresh_uids(StudyInstanceUID=study, SeriesInstanceUID=series)
        assert store(archive.stow, make_instance(**uids)).status == 200
        backend.wait_until_searchable(study, instances)

    url = f"{archive.dicomweb}/studies/{study}" + (f"/series/{series}" if level == "series" else "") + "/metadata"
    store_another(1)
    before = get(url)
    assert before.headers["Cache-Control"] == "no-cache"
    unchanged = get(url, If_None_Match=before.headers["ETag"])
    assert (unchanged.status, unchanged.body) == (304, b"")

    store_another(2)
    after = get(url, If_None_Match=before.headers["ETag"])
    assert after.status == 200
    assert (len(before.json()), len(after.json())) == (1, 2)
    assert after.headers["ETag"] != before.headers["ETag"]


def test_a_search_is_never_taken_from_a_cache(archive, source) -> None:
    url = f"{archive.dicomweb}/studies?StudyInstanceUID={source.study_instance_uid}"
    for _ in range(2):
        answer = get(url, accept=DICOM_JSON)
        assert answer.headers["Cache-Control"] in ("no-cache", "no-store")
        assert answer.headers.get("X-Cache") in (None, "")


@pytest.mark.parametrize("resource", ["/metadata", "/frames/1", ""])
def test_head_says_what_get_says_without_a_body(archive, source, resource) -> None:
    url = f"{archive.dicomweb}/{source.path}{resource}"
    get(url)  # generates the objects that are generated on demand
    by_get, by_head = get(url), get(url, method="HEAD")
    assert (by_head.status, by_head.body) == (200, b"")
    for name in ("Content-Type", "Content-Length", "Content-Encoding", "ETag", "Cache-Control"):
        assert by_head.headers.get(name) == by_get.headers.get(name)


@pytest.mark.parametrize("resource", ["/metadata", "/frames/1"])
def test_a_range_is_a_part_of_the_whole(archive, source, resource) -> None:
    url = f"{archive.dicomweb}/{source.path}{resource}"
    whole = get(url)
    part = get(url, Range="bytes=10-19")
    assert part.status == 206
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.body)}"
    assert part.body == whole.body[10:20]
    assert get(url, Range="bytes=1000000-").status == 416


@pytest.mark.parametrize(
    "resource",
    [
        "studies/1.2.3/metadata",
        "studies/1.2.3/series/1.2/metadata",
        "{series}/instances/1.2.3",
        "{series}/instances/1.2.3/metadata",
        "{instance}/frames/2",
        "{instance}/bulkdata/00420011",
        "{instance}/bulkdata/7FE00008",
        "nothing",
    ],
)
@pytest.mark.parametrize("gzip", [True, False], ids=["gzip", "identity"])
def test_an_unknown_resource_is_404_with_an_error_in_json(archive, source, resource, gzip) -> None:
    path = resource.format(series=source.series_path, instance=source.path)
    answer = get(f"{archive.dicomweb}/{path}", gzip=gzip)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/json"
    assert list(answer.json()) == ["error"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("studies/not-a-uid/metadata", 400),
        ("{instance}/frames/0", 400),
        ("{instance}/frames/one", 400),
        ("studies?NoSuchAttribute=1&limit=x", 400),
        ("studies?limit=-1", 400),
        ("studies/..%2f..%2fetc/metadata", 400),
    ],
)
def test_a_malformed_request_is_400_with_an_error_in_json(archive, source, path, status) -> None:
    answer = get(f"{archive.dicomweb}/{path.format(instance=source.path)}")
    assert answer.status == status
    assert list(answer.json()) == ["error"]


def test_an_unacceptable_type_is_406(archive, source) -> None:
    assert get(f"{archive.dicomweb}/{source.path}/metadata", accept="image/gif").status in (400, 406)
    assert get(f"{archive.dicomweb}/{source.path}/metadata", accept="text/csv, audio/mpeg").status in (400, 406)
    assert get(f"{archive.dicomweb}/studies", accept="application/pdf").status == 406


def test_browsers_of_other_origins_may_read_and_store(archive, source) -> None:
    origin = "https://viewer.example"
    for url in (f"{archive.dicomweb}/studies", f"{archive.dicomweb}/{source.path}/frames/1"):
        preflight = get(
            url,
            method="OPTIONS",
            Origin=origin,
            Access_Control_Request_Method="GET",
            Access_Control_Request_Headers="accept, content-type",
        )
        assert preflight.status in (200, 204)
        assert preflight.headers["Access-Control-Allow-Origin"] in ("*", origin)
        allowed = preflight.headers["Access-Control-Allow-Headers"].lower()
        assert "accept" in allowed
        assert "content-type" in allowed
        answer = get(url, Origin=origin)
        assert answer.headers.getlist("Access-Control-Allow-Origin") == ["*"]
        exposed = answer.headers["Access-Control-Expose-Headers"]
        assert all(name in exposed for name in ("Warning", "ETag", "Content-Location"))
    preflight = get(f"{archive.dicomweb}/studies", method="OPTIONS", Access_Control_Request_Method="POST")
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
