import pytest

from cdk.project import PROJECT
from localstack.configuration import Configuration, Layout
from localstack.errors import HarnessError


def test_an_empty_environment_gives_the_embedded_archive_in_the_project():
    configuration = Configuration.from_environment({})

    assert configuration.backend == "embedded"
    assert configuration.layout.state == PROJECT / ".local" / "archive"
    assert configuration.requested_ports == {}
    assert configuration.sample


def test_ports_and_state_directory_can_be_set():
    configuration = Configuration.from_environment({"EDGE_PORT": "8080", "STOW_PORT": "", "STATE_DIR": "/x/y"})

    assert configuration.requested_ports == {"edge": 8080}
    assert str(configuration.layout.state) == "/x/y"


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        ({}, "make stop"),
        ({"SAMPLE": "0", "EDGE_PORT": "8080"}, "make stop"),
        ({"DEPLOY": "cdk"}, "make stop DEPLOY=cdk"),
        (
            {"BACKEND": "localstack", "STATE_DIR": "/x/my archive"},
            "make stop STATE_DIR='/x/my archive' BACKEND=localstack",
        ),
    ],
)
def test_a_command_for_the_archive_has_the_variables_that_lead_to_it(environment, command):
    assert Configuration.from_environment(environment).make_command("stop") == command


def test_messages_stay_hidden_for_longer_than_a_function_may_run():
    configuration = Configuration.from_environment({"FUNCTION_TIMEOUT_SECONDS": "60"})

    assert configuration.visibility_timeout_seconds == 90


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"EDGE_PORT": "http"}, "EDGE_PORT"),
        ({"EDGE_PORT": "0"}, "EDGE_PORT"),
        ({"STOW_PORT": "65536"}, "STOW_PORT must be a port number, at most 65535; it is 65536"),
        ({"BACKEND": "moto"}, "BACKEND must be one of embedded, localstack; it is 'moto'"),
        ({"BACKEND": "localstack", "DEPLOY": "cdk"}, "DEPLOY=cdk works with BACKEND=embedded only"),
    ],
)
def test_a_wrong_variable_is_named(environment, named):
    with pytest.raises(HarnessError, match=named):
        Configuration.from_environment(environment)


def test_a_state_directory_that_cannot_be_created_is_named(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(HarnessError, match=rf"{tmp_path}/file/state/data cannot be created .*STATE_DIR"):
        Layout(tmp_path / "file" / "state").create()


def test_a_state_directory_of_another_user_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda _path, _mode: False)

    with pytest.raises(HarnessError, match=rf"{tmp_path}/data is not writable for this user; STATE_DIR"):
        Layout(tmp_path).create()
