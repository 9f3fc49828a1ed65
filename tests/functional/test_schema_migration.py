"""The function `migrate` as CloudFormation and an operator call it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from app import migrate
from chalicelib.adapters.mysql.migration import MigrationError, MigrationReport
from chalicelib.entrypoints import http, schema_migration
from chalicelib.entrypoints.schema_migration import MigrationFailedError

REPORT = {"schema": "abc", "database": "archive", "users": ["archive"]}


class Context:
    """Lambda's context of an invocation with this much time left."""

    aws_request_id = "request-1"
    log_stream_name = "2026/01/31/[$LATEST]0123"

    def __init__(self, seconds: float = 300) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


class Migration:
    """Does what the test configured."""

    def __init__(self) -> None:
        self.applied = 0
        self.error: Exception | None = None
        self.hangs_until: threading.Event | None = None

    def apply(self) -> MigrationReport:
        self.applied += 1
        if self.hangs_until:
            self.hangs_until.wait(30)
        if self.error:
            raise self.error
        return MigrationReport("abc", "archive", ["archive"])


@pytest.fixture
def migration(monkeypatch: pytest.MonkeyPatch) -> Migration:
    class Services:
        migration = Migration()

    monkeypatch.setattr(http, "services", Services)
    return Services.migration


class Received(HTTPServer):
    """The URL at which CloudFormation waits for the answer."""

    def __init__(self, statuses: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = statuses
        self.requests: list[tuple[str, str, str | None, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/answer?signature=x"


class _Handler(BaseHTTPRequestHandler):
    server: Received

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.command, self.path, self.headers["Content-Type"], body))
        self.send_response(self.server.statuses.pop(0))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def cloudformation(*statuses: int) -> Iterator[Received]:
    with Received(list(statuses) or [200]) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def event(server: Received, kind: str, **more: str) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": server.url,
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/archive-application/1",
        "RequestId": "unique",
        "ResourceType": "Custom::IndexSchema",
        "LogicalResourceId": "Schema",
        "ResourceProperties": {"ServiceToken": "arn", "SchemaDigest": "abc"},
        **more,
    }


@pytest.mark.parametrize(("kind", "more"), [("Create", {}), ("Update", {"PhysicalResourceId": "index-schema"})])
def test_cloudformation_is_told_of_a_success(migration: Migration, kind: str, more: dict[str, str]) -> None:
    with cloudformation() as server:
        migrate(event(server, kind, **more), Context())
    assert migration.applied == 1
    assert server.requests == [
        (
            "PUT",
            "/answer?signature=x",
            "",
            {
                "Status": "SUCCESS",
                "PhysicalResourceId": "index-schema",
                "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/archive-application/1",
                "RequestId": "unique",
                "LogicalResourceId": "Schema",
                "Data": REPORT,
            },
        )
    ]


def test_a_delete_does_nothing_and_succeeds(migration: Migration) -> None:
    with cloudformation() as server:
        migrate(event(server, "Delete", PhysicalResourceId="index-schema"), Context())
    assert migration.applied == 0
    [(_, _, _, answer)] = server.requests
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "index-schema")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            MigrationError("creating the user failed: error 1064 of the database"),
            "creating the user failed: error 1064",
        ),
        (RuntimeError("the password is hunter2"), "the migration failed (RuntimeError)"),
        (KeyError("DATABASE_MASTER_SECRET_ID"), "the migration failed (KeyError)"),
    ],
)
def test_cloudformation_is_told_of_a_failure_and_of_no_secret(
    migration: Migration, error: Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    migration.error = error
    with cloudformation() as server:
        migrate(event(server, "Create"), Context())
    [(_, _, _, answer)] = server.requests
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(reason)
    assert answer["Reason"].endswith("log stream 2026/01/31/[$LATEST]0123")
    assert "hunter2" not in json.dumps(answer) + caplog.text


def test_it_answers_before_its_time_is_over(migration: Migration) -> None:
    migration.hangs_until = threading.Event()
    with cloudformation() as server:
        migrate(event(server, "Create"), Context(seconds=15.05))
    migration.hangs_until.set()
    [(_, _, _, answer)] = server.requests
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("the migration did not end in time")


def test_an_answer_that_is_not_taken_is_sent_again(migration: Migration) -> None:
    with cloudformation(503, 200) as server:
        migrate(event(server, "Create"), Context())
    assert [request[3]["Status"] for request in server.requests] == ["SUCCESS", "SUCCESS"]


def test_an_answer_goes_over_http_only(migration: Migration) -> None:
    with cloudformation() as server, pytest.raises(ValueError, match="ResponseURL is not an HTTP URL"):
        migrate({**event(server, "Delete"), "ResponseURL": "file:///tmp/answer"}, Context())


def test_an_operator_gets_the_report(migration: Migration) -> None:
    assert migrate({}, Context()) == REPORT


def test_an_operator_is_told_of_a_failure(migration: Migration) -> None:
    migration.error = MigrationError("connecting failed: error 2003 of the database")
    with pytest.raises(MigrationFailedError, match="connecting failed: error 2003 of the database"):
        schema_migration.handle({}, Context())
