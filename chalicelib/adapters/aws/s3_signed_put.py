"""PutObject with botocore's signature but without its client, for the most frequent call.

Strategy: a botocore client spends over 2 ms of CPU on a PutObject (endpoint rules, events, parsing), three times as
much as the signature and the HTTP exchange together; the rest of storing an instance of 0.5 MiB takes 1.4 ms. The
client is therefore used once, to find the address. botocore's SigV4Auth signs each request with the digest that the
service has computed anyway (S3 refuses a body that does not match it), and urllib3, which botocore uses too, sends and
retries it.
"""

import re
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import get_cert_path
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from chalicelib.errors import ServiceFaultError

_OK = 200
# S3 answers 503 SlowDown where other services answer 429.
_TRANSIENT = (500, 502, 503, 504)
_PLAIN_KEY = re.compile(r"[A-Za-z0-9._/-]+\Z")


def is_plain(key: str) -> bool:
    """Whether a key needs no escaping in a URL."""
    return _PLAIN_KEY.match(key) is not None


class SignedPut:
    """Puts objects into one bucket.

    Parameters
    ----------
    client
        A boto3 S3 client; it gives the address of the bucket.
    max_connections
        Number of threads that put concurrently.
    backoff_seconds
        Delay before the second retry; it doubles with each further one.
    """

    def __init__(self, client: Any, bucket: str, *, max_connections: int = 64, backoff_seconds: float = 0.2) -> None:
        url = client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "key"})
        self._base = url.partition("?")[0].removesuffix("key")
        self._region = client.meta.region_name
        # The client does not expose its credentials. botocore refreshes these before they expire.
        self._credentials = boto3.Session().get_credentials()
        self._pool = PoolManager(
            maxsize=max_connections,
            ca_certs=get_cert_path(True),
            timeout=Timeout(connect=5, read=30),
            retries=Retry(
                total=4,
                allowed_methods=("PUT",),
                status_forcelist=_TRANSIENT,
                backoff_factor=backoff_seconds,
                backoff_jitter=backoff_seconds,
                raise_on_status=False,
                redirect=0,
            ),
        )

    def put(self, key: str, body: bytes, *, headers: Mapping[str, str], sha256: str) -> None:
        """Put an object.

        Parameters
        ----------
        key
            Must need no escaping in a URL, see `is_plain`.
        headers
            Headers of the object, e.g. ``{"Content-Type": "application/dicom"}``.
        sha256
            Hexadecimal digest of the body.

        Raises
        ------
        ServiceFaultError
        """
        try:
            request = AWSRequest(
                "PUT",
                self._base + key,
                headers={**headers, "X-Amz-Content-SHA256": sha256},
            )
            SigV4Auth(self._credentials, "s3", self._region).add_auth(request)
            answer = self._pool.request("PUT", self._base + key, body=body, headers=dict(request.headers))
        except (BotoCoreError, HTTPError) as error:
            raise ServiceFaultError("S3 failed") from error
        if answer.status != _OK:
            raise ServiceFaultError(f"S3 failed ({answer.status})")
