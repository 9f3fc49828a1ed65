"""The Chalice application through its own test client, over the in-memory ports."""

from __future__ import annotations

import json
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from chalice.test import Client

from app import app
from tests.support.archive import Archive
from tests.support.builders import make_instance

NAMES = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "SOPInstanceUID": "1.2.3.4"}
INSTANCE = "/dicomweb/studies/1.2/series/1.2.3/instances/1.2.3.4"


def get(client: Client, path: str, **headers: str) -> Any:
    return client.http.get(path, headers=headers)


def test_what_was_stored_is_found_and_retrieved(archive: Archive, client: Client) -> None:
    archive.store(make_instance(**NAMES, PatientName="O'Brien^Pat"))
    found = get(client, "/dicomweb/studies?PatientName=O'Brien*", Accept="application/dicom+json")
    assert found.status_code == 200
    assert found.headers["Content-Type"] == "application/dicom+json"
    (study,) = json.loads(found.body)
    assert study["0020000D"]["Value"] == ["1.2"]
    metadata = get(client, f"{INSTANCE}/metadata", Accept="application/dicom+json")
    assert json.loads(metadata.body)[0]["00080018"]["Value"] == ["1.2.3.4"]
    frames = get(client, f"{INSTANCE}/frames/1", Accept="*/*")
    assert bytes(range(32)) in frames.body


def test_a_request_without_an_accept_header_gets_the_default(archive: Archive, client: Client) -> None:
    archive.store(make_instance(**NAMES))
    for path in ("/dicomweb/studies", f"{INSTANCE}/metadata", f"{INSTANCE}/frames/1", INSTANCE):
        assert get(client, path).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/dicomweb/studies/1.2/metadata", 404),
        ("/dicomweb/studies/1.2.a/metadata", 400),
        ("/dicomweb/studies/1.2/series/x/metadata", 400),
        (f"{INSTANCE}/frames/0", 400),
        (f"{INSTANCE}/frames/1", 404),
        ("/dicomweb/studies/1.2/rendered", 501),
        ("/dicomweb/studies/1.2/series/1.3", 501),
        ("/dicomweb/studies?Nonsense=1", 400),
        ("/dicomweb/studies?limit=-1", 400),
    ],
)
def test_errors_are_json_that_says_what_is_wrong(archive: Archive, client: Client, path: str, status: int) -> None:
    answer = get(client, path, Accept="application/dicom+json, multipart/related")
    assert answer.status_code == status
    assert set(json.loads(answer.body)) == {"error"}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_search_without_hits_is_204_without_a_body(archive: Archive, client: Client) -> None:
    answer = get(client, "/dicomweb/studies?PatientID=nobody")
    assert answer.status_code == 204
    assert answer.body == b""


def test_a_defect_tells_the_client_nothing(
    archive: Archive, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("SELECT secret FROM patients")

    monkeypatch.setattr(archive.index, "search", fail)
    answer = get(client, "/dicomweb/studies")
    assert answer.status_code == 500
    assert json.loads(answer.body) == {"error": "internal error"}
    assert "failed unexpectedly" in caplog.text


def test_the_queue_is_consumed_and_failed_messages_come_again(archive: Archive, client: Client) -> None:
    good = archive.objects.land("good", make_instance(**NAMES))
    s3 = {"bucket": {"name": "landing"}, "object": {"key": "good", "versionId": good.version_id}}
    body = {"Records": [{"s3": s3}]}
    event = client.events.generate_sqs_event([json.dumps(body)], "landing")
    client.lambda_.invoke("convert", event)
    assert get(client, "/dicomweb/studies?StudyInstanceUID=1.2").status_code == 200
    archive.queue.send(json.dumps(body))
    archive.queue.send("no event")
    received = archive.queue.receive()
    event = client.events.generate_sqs_event([text for _handle, text in received], "landing")
    for number, record in enumerate(event["Records"]):
        record["messageId"] = f"m{number}"
        record["receiptHandle"] = received[number][0]
    with pytest.raises(Exception, match="1 of 2 messages failed"):
        client.lambda_.invoke("convert", event)
    assert [message.body for message in archive.queue.messages] == ["no event"]


def test_an_answer_of_the_lambda_function_is_base64(archive: Archive) -> None:
    archive.store(make_instance(**NAMES))
    event = {
        "requestContext": {"resourcePath": "/dicomweb/studies", "httpMethod": "GET", "path": "/dicomweb/studies"},
        "multiValueQueryStringParameters": None,
        "headers": {},
        "pathParameters": {},
        "body": None,
        "isBase64Encoded": False,
        "stageVariables": None,
    }
    answer = app(event, None)
    assert answer["isBase64Encoded"] is True
    assert json.loads(b64decode(answer["body"]))[0]["0020000D"]["Value"] == ["1.2"]


def test_many_threads_convert_in_one_process(archive: Archive) -> None:
    def store(number: int) -> None:
        archive.store(make_instance(StudyInstanceUID="1.2", SOPInstanceUID=f"1.9.{number}"))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(store, range(40)))
    assert len(list(archive.records.list_instances("1.2"))) == 40
