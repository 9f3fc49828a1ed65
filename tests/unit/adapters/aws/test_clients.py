"""The archive's configuration of boto3 clients."""

from urllib.parse import urlsplit

import pytest

from chalicelib.adapters.aws.clients import make_client


@pytest.mark.parametrize("region", ["eu-central-1", "eu-south-2"])
def test_signed_urls_name_the_bucket_s_region(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)

    url = make_client("s3").generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "key"})

    assert urlsplit(url).hostname == f"bucket.s3.{region}.amazonaws.com"


def test_an_emulator_is_asked_at_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://emulator.example:4566")

    url = make_client("s3").generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "key"})

    assert url.startswith("http://emulator.example:4566/bucket/key?")
