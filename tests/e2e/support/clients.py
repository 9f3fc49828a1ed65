"""Requests as real clients send them: stores like those of dcm4che's stowrs, and reads of the unmodified answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import urllib3

DICOM_JSON = "application/dicom+json"
DICOM_XML = "application/dicom+xml"
DICOM = "application/dicom"
# As stowrs sends it: `type` is quoted, the boundary is not.
STOWRS_CONTENT_TYPE = 'multipart/related; type="application/dicom"; boundary=myboundary'

RETRIEVE_URL = "00081190"
FAILURE_REASON = "00081197"
FAILED_SOP_SEQUENCE = "00081198"
REFERENCED_SOP_SEQUENCE = "00081199"
OTHER_FAILURES_SEQUENCE = "0008119A"
SOP_INSTANCE_UID = "00081155"

_http = urllib3.PoolManager(maxsize=32, timeout=urllib3.Timeout(connect=10, read=120), retries=False)


@dataclass(frozen=True)
class Part:
    """One part of a multipart/related body."""

    content_type: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    """An HTTP response; `body` is as it was transferred."""

    status: int
    headers: urllib3.HTTPHeaderDict
    body: bytes

    def json(self) -> Any:
        """Return the value of a JSON body."""
        return json.loads(self.content)

    @property
    def content(self) -> bytes:
        """The body, decompressed if its Content-Encoding is gzip."""
        if self.headers.get("Content-Encoding") == "gzip":
            return urllib3.response.GzipDecoder().decompress(self.body)
        return self.body

    def parts(self) -> list[Part]:
        """Return the parts of a multipart/related body (RFC 2046 §5.1)."""
        content_type = self.headers["Content-Type"]
        assert content_type.startswith("multipart/related; "), content_type
        delimiter = b"--" + _parameter(content_type, "boundary").encode()
        preamble, *parts, end = (b"\r\n" + self.content).split(b"\r\n" + delimiter)
        assert preamble == b""
        assert end.strip() == b"--"
        result = []
        for part in parts:
            head, _, body = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            (field,) = head.split(b"\r\n")
            name, _, value = field.decode().partition(": ")
            assert name == "Content-Type"
            result.append(Part(value, body))
        # PS3.18 §8.7.1: the parameter `type` is required, and is the media type of the parts.
        assert {part.content_type.partition(";")[0] for part in result} == {_parameter(content_type, "type")}
        return result

    def part(self) -> Part:
        """Return the only part of a multipart/related body."""
        (part,) = self.parts()
        return part


def _parameter(content_type: str, name: str) -> str:
    return content_type.partition(f'{name}="')[2].partition('"')[0]


def get(
    url: str, *, accept: str | None = None, gzip: bool = True, method: str = "GET", **headers: str | None
) -> Answer:
    """Request a resource and follow redirects, as every DICOMweb client does.

    Further `headers` are given with underscores; those that are None are left out.
    """
    fields = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
    # Without this header, urllib3 asks for "identity".
    fields["Accept-Encoding"] = "gzip" if gzip else "identity"
    if accept is not None:
        fields["Accept"] = accept
    response = _http.request(
        method,
        url,
        headers=fields,
        decode_content=False,
        retries=urllib3.Retry(None, connect=0, read=0, status=0, redirect=3),
    )
    return Answer(response.status, response.headers, response.data)


def stowrs_body(*instances: bytes, boundary: str = "myboundary", part_type: str = DICOM) -> bytes:
    """Return a body as stowrs sends it: a line break before the first delimiter, and only Content-Type in each part."""
    head = f"\r\n--{boundary}\r\nContent-Type: {part_type}\r\n\r\n".encode()
    return b"".join(head + instance for instance in instances) + f"\r\n--{boundary}--".encode()


def post(url: str, body: bytes, *, content_type: str = STOWRS_CONTENT_TYPE, accept: str | None = DICOM_JSON) -> Answer:
    """Send a store request with its Content-Length."""
    fields = {"Content-Type": content_type} | ({} if accept is None else {"Accept": accept})
    response = _http.request("POST", url, body=body, headers=fields, decode_content=False)
    return Answer(response.status, response.headers, response.data)


def store(url: str, *instances: bytes, accept: str | None = DICOM_JSON) -> Answer:
    """Store instances as stowrs does."""
    return post(url, stowrs_body(*instances), accept=accept)


def failure_reasons(answer: Answer) -> list[int]:
    """Return the failure reasons in the JSON answer to a store request; those of parts without identity come last."""
    module = answer.json()
    items = [
        *module.get(FAILED_SOP_SEQUENCE, {}).get("Value", []),
        *module.get(OTHER_FAILURES_SEQUENCE, {}).get("Value", []),
    ]
    return [item[FAILURE_REASON]["Value"][0] for item in items]


def xml_values(document: bytes, keyword: str) -> list[str]:
    """Return all values of an attribute at any depth of a Native DICOM Model (PS3.19 §A.1)."""
    namespace = "{http://dicom.nema.org/PS3.19/models/NativeDICOM}"
    root = ET.fromstring(document)
    assert root.tag == f"{namespace}NativeDicomModel"
    return [
        value.text or ""
        for attribute in root.iter(f"{namespace}DicomAttribute")
        if attribute.get("keyword") == keyword
        for value in attribute.findall(f"{namespace}Value")
    ]


def search(url: str, **keys: str | int) -> list[dict[str, Any]]:
    """Search, and return the hits; a 204 has none."""
    answer = get(f"{url}?{urlencode(keys)}" if keys else url, accept=DICOM_JSON)
    assert answer.status in (200, 204), answer.body
    return answer.json() if answer.status == 200 else []


def values(hits: Sequence[dict[str, Any]], tag: str) -> list[Any]:
    """Return the first value of an attribute in each hit, or None for a hit without a value."""
    return [hit.get(tag, {}).get("Value", [None])[0] for hit in hits]
