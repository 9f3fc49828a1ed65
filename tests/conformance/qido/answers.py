"""Sends searches to the application over a given index, and reads its answers."""

import email
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import policy
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from chalice.test import Client, HTTPResponse

from app import app
from chalicelib.bootstrap import Services
from chalicelib.dicomweb.attributes import DicomJson
from chalicelib.entrypoints import http
from chalicelib.ports import StudyIndex
from tests.support.qido_builders import AnsweringRecords
from tests.support.settings import SETTINGS

ROOT = "https://archive.example/dicomweb"
XML = 'multipart/related; type="application/dicom+xml"'
NATIVE_MODEL = {"": "http://dicom.nema.org/PS3.19/models/NativeDICOM"}

Search = Callable[..., HTTPResponse]


@contextmanager
def answering(index: StudyIndex, records: AnsweringRecords, monkeypatch: pytest.MonkeyPatch) -> Iterator[Search]:
    """Yield a function that searches: it takes the path and query below the archive's root, and an Accept header."""
    services = Services(replace(SETTINGS, dicomweb_root=ROOT), index=index, records=records)
    monkeypatch.setattr(http, "services", lambda: services)
    with Client(app) as client:

        def send(resource: str, accept: str | None = None) -> HTTPResponse:
            headers = {} if accept is None else {"Accept": accept}
            return client.http.get(f"/dicomweb{resource}", headers=headers)

        yield send


def values(answer: DicomJson, tag: str) -> list[Any] | None:
    """Values of an element that the answer shows; None if it is empty."""
    found: list[Any] | None = answer[tag].get("Value")
    return found


def uids(response: HTTPResponse, tag: str = "0020000D") -> list[str]:
    """One UID of each result, in the order of the answer."""
    if response.status_code == 204:
        return []
    assert response.status_code == 200, response.body
    return [answer[tag]["Value"][0] for answer in json.loads(response.body)]


def xml_parts(response: HTTPResponse) -> list[ET.Element]:
    """The documents of the Native DICOM Model in a multipart answer."""
    head = f"Content-Type: {response.headers['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + response.body, policy=policy.HTTP)
    assert message.get_content_type() == "multipart/related"
    assert message.get_param("type") == "application/dicom+xml"
    parts = list(message.iter_parts())
    assert {part.get_content_type() for part in parts} == {"application/dicom+xml"}
    return [ET.fromstring(part.get_payload(decode=True)) for part in parts]


def xml_uids(response: HTTPResponse) -> list[str]:
    """The study of each result of a multipart answer."""
    path = "./DicomAttribute[@tag='0020000D']/Value"
    return [part.findtext(path, "", NATIVE_MODEL) for part in xml_parts(response)]
