"""The local harness: viewer, sample study, and the addresses that it listens on."""

import os
import urllib.request

import psutil
import pytest

from localstack.sample import (
    SLICES,
    STUDY_INSTANCE_UID,
    related_instances,
    store_sample,
    wait_until_searchable,
)


def listening_addresses():
    return {
        connection.laddr.ip
        for process in psutil.Process().children(recursive=True)
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }


def test_the_viewer_is_served_with_this_archives_configuration(archive):
    with urllib.request.urlopen(archive.viewer) as response:
        assert response.headers["Content-Type"] == "text/html"
    with urllib.request.urlopen(archive.viewer + "app-config.js") as response:
        assert b'"qidoRoot": "/dicomweb"' in response.read()


def test_the_sample_study_is_found_with_all_its_instances(archive):
    store_sample(archive.stow)

    wait_until_searchable(archive.dicomweb)

    for root in (archive.dicomweb, archive.qido):
        assert related_instances(f"{root}/studies?StudyInstanceUID={STUDY_INSTANCE_UID}") == SLICES


@pytest.mark.skipif("ARCHIVE_URLS" in os.environ, reason="the archive is no child process of this test run")
def test_everything_listens_on_the_loopback_interface_only(archive):
    assert listening_addresses() == {"127.0.0.1"}
