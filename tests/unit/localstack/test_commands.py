import os
import sys

import pytest

from localstack.commands import run_logged
from localstack.errors import HarnessError


def run(program, log, timeout_seconds=60, environment=None):
    run_logged(
        "program", [sys.executable, "-c", program], log, timeout_seconds=timeout_seconds, environment=environment
    )


def test_the_output_of_a_command_is_appended_to_its_log(tmp_path):
    log = tmp_path / "log"
    log.write_text("of an earlier run\n")

    run("import os, sys; print(os.environ['A']); print('problem', file=sys.stderr)", log, environment={"A": "1"})

    assert sorted(log.read_text().splitlines()) == ["1", "of an earlier run", "problem"]


def test_a_failed_command_is_an_error_with_its_log(tmp_path):
    with pytest.raises(HarnessError, match="program ended with status 3") as caught:
        run("raise SystemExit(3)", tmp_path / "log")

    assert caught.value.log == tmp_path / "log"


def test_a_command_that_takes_too_long_is_an_error(tmp_path):
    with pytest.raises(HarnessError, match="program did not end within 0 s"):
        run("import signal; signal.pause()", tmp_path / "log", timeout_seconds=0.1)


def test_a_command_that_is_not_installed_is_an_error(tmp_path):
    with pytest.raises(HarnessError, match=r"server-setup could not be started: .*No such file"):
        run_logged("server-setup", [os.fspath(tmp_path / "nothing")], tmp_path / "log", timeout_seconds=60)
