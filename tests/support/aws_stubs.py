"""boto3 clients that answer the calls which a test lists, without sending anything."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.stub import Stubber


@contextmanager
def stubbed(service: str) -> Iterator[Stubber]:
    """A stub whose `client` answers the calls that a test adds, in order; others and left-over ones fail the test."""
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="id", aws_secret_access_key="secret")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
