"""PutObject with botocore's signature but without its client, for the call that is made most.

Strategy: a botocore client spends over 2 ms of CPU on a PutObject (endpoint rules, events, parsing), three times as
much as the signature and the HTTP exchange together; storing an instance of 0.5 MiB takes 1.4 ms besides. So the
address is asked of the client once, each request is signed by botocore's SigV4Auth with the digest that the service
has computed anyway (S3 refuses a body that does not match it), and urllib3, which botocore uses too, sends and retries.
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
# S3 says 503 SlowDown where others say 429.
_TRANSIENT = (500, 502, 503, 504)


_PLAIN_KEY = re.compile(r"[A-Za-z0-9._/-]+\Z")


def is_plain(key: str) -> bool:
    """Whether a key stands in a URL as it is."""
    return _PLAIN_KEY.match(key) is not None


class SignedPut:
    """Puts objects into one bucket.

    Parameters
    ----------
    client
        A boto3 S3 client; says where the bucket is.
    max_connections
        Number of threads that will put at once.
    backoff_seconds
        Wait before the second retry; doubles with each.
    """

    def __init__(self, client: Any, bucket: str, *, max_connections: int = 64, backoff_seconds: float = 0.2) -> None:
        url = client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "key"})
        self._base = url.partition("?")[0].removesuffix("key")
        self._region = client.meta.region_name
        # Not of the client, which hides them; refreshed by botocore where they expire.
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
            Of characters that need no escaping in a URL, see `is_plain`.
        headers
            The object's own, e.g. ``{"Content-Type": "application/dicom"}``.
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
