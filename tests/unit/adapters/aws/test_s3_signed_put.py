import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from chalicelib.adapters.aws.s3_signed_put import SignedPut
from chalicelib.errors import ServiceFaultError

BODY = b"instance"
SHA256 = hashlib.sha256(BODY).hexdigest()


class _S3(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[int] = []
        self.requests: list[tuple[str, dict[str, str], bytes]] = []


class _Handler(BaseHTTPRequestHandler):
    server: _S3

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def s3() -> Iterator[_S3]:
    with _S3() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def signed_put(s3: _S3, monkeypatch: pytest.MonkeyPatch) -> SignedPut:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{s3.server_address[1]}",
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    return SignedPut(client, "landing", backoff_seconds=0.01)


def _put(signed_put: SignedPut) -> None:
    signed_put.put("stow/a-b/1.dcm", BODY, headers={"Content-Type": "application/dicom"}, sha256=SHA256)


def test_object_is_put_with_its_digest(s3: _S3, signed_put: SignedPut) -> None:
    _put(signed_put)

    [(path, headers, body)] = s3.requests
    assert (path, body) == ("/landing/stow/a-b/1.dcm", BODY)
    assert headers["Content-Type"] == "application/dicom"
    assert headers["X-Amz-Content-SHA256"] == SHA256


def test_signature_is_that_of_botocores_s3_signer(s3: _S3, signed_put: SignedPut) -> None:
    _put(signed_put)

    [(path, headers, _)] = s3.requests
    theirs = AWSRequest(
        "PUT",
        f"http://{headers['Host']}{path}",
        headers={"Content-Type": "application/dicom", "X-Amz-Content-SHA256": SHA256},
        data=BODY,
    )
    theirs.context["timestamp"] = headers["X-Amz-Date"]
    signer = S3SigV4Auth(Credentials("id", "secret"), "s3", "us-east-1")
    signer._modify_request_before_signing(theirs)
    del theirs.headers["X-Amz-Date"]
    theirs.headers["X-Amz-Date"] = headers["X-Amz-Date"]
    signature = signer.signature(signer.string_to_sign(theirs, signer.canonical_request(theirs)), theirs)
    assert headers["Authorization"].endswith(f"Signature={signature}")


def test_transient_faults_are_retried(s3: _S3, signed_put: SignedPut) -> None:
    s3.statuses = [503, 500, 200]

    _put(signed_put)

    assert [body for _, _, body in s3.requests] == [BODY] * 3


# 400 is the answer of S3 to bytes that differ from their digest.
@pytest.mark.parametrize("statuses", [[503] * 5, [400], [403], [307]])
def test_lasting_fault_is_a_service_fault(s3: _S3, signed_put: SignedPut, statuses: list[int]) -> None:
    s3.statuses = statuses

    with pytest.raises(ServiceFaultError):
        _put(signed_put)


def test_unreachable_service_is_a_fault(monkeypatch: pytest.MonkeyPatch, s3: _S3, signed_put: SignedPut) -> None:
    monkeypatch.setattr(signed_put, "_base", "http://127.0.0.1:9/landing/")

    with pytest.raises(ServiceFaultError):
        _put(signed_put)
