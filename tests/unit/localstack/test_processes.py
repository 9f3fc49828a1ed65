import json
import sys
from dataclasses import asdict

import psutil
import pytest

from localstack.errors import HarnessError, last_lines
from localstack.processes import ProcessRecord, Supervisor
from localstack.waiting import wait_until

FOREVER = "import signal, pathlib, sys; pathlib.Path(sys.argv[1]).touch(); signal.pause()"


@pytest.fixture
def supervisor(tmp_path):
    supervisor = Supervisor(tmp_path / "processes.json", tmp_path)
    yield supervisor
    supervisor.stop_all()


def start(supervisor, tmp_path, name="sleeper", program=FOREVER, **options):
    mark = tmp_path / f"{name}.ready"
    supervisor.start(
        name,
        [sys.executable, "-c", program, mark],
        environment={},
        directory=tmp_path,
        ready=mark.exists,
        **options,
    )


def has_ended(pid):
    # An orphan stays as a zombie until the machine's first process has reaped it.
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_started_process_runs_until_it_is_stopped(supervisor, tmp_path):
    start(supervisor, tmp_path)
    assert [record.name for record in supervisor.alive()] == ["sleeper"]

    assert supervisor.stop_all() == ["sleeper"]

    assert supervisor.recorded() == []


def test_another_command_can_stop_what_one_started(supervisor, tmp_path):
    start(supervisor, tmp_path)
    (record,) = supervisor.recorded()

    assert Supervisor(tmp_path / "processes.json", tmp_path).stop_all() == ["sleeper"]

    assert not record.is_alive()


def test_the_last_started_is_stopped_first(supervisor, tmp_path):
    start(supervisor, tmp_path, "first")
    start(supervisor, tmp_path, "second")

    assert supervisor.stop_all() == ["second", "first"]


def test_children_of_a_process_end_with_it(supervisor, tmp_path):
    program = (
        "import subprocess, sys, signal, pathlib; sleep = 'import signal; signal.pause()';"
        "child = subprocess.Popen([sys.executable, '-c', sleep], start_new_session=True);"
        "pathlib.Path(sys.argv[1]).with_name('child').write_text(str(child.pid));"
        "pathlib.Path(sys.argv[1]).touch(); signal.pause()"
    )
    start(supervisor, tmp_path, program=program)
    child = int((tmp_path / "child").read_text())

    supervisor.stop_all()

    assert has_ended(child)


def test_children_of_a_process_that_died_end_too(supervisor, tmp_path):
    program = (
        "import subprocess, sys, signal, pathlib; sleep = 'import signal; signal.pause()';"
        "child = subprocess.Popen([sys.executable, '-c', sleep]);"
        "pathlib.Path(sys.argv[1]).with_name('child').write_text(str(child.pid));"
        "pathlib.Path(sys.argv[1]).touch(); signal.pause()"
    )
    start(supervisor, tmp_path, program=program)
    child = int((tmp_path / "child").read_text())
    (record,) = supervisor.recorded()
    psutil.Process(record.pid).kill()
    wait_until(lambda: not record.is_alive(), "the process died", 5)

    assert supervisor.stop_all() == []

    assert has_ended(child)


def test_a_process_that_ignores_a_polite_request_is_killed(supervisor, tmp_path, monkeypatch):
    monkeypatch.setattr("localstack.processes._STOP_SECONDS", 0.2)
    program = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + FOREVER
    start(supervisor, tmp_path, program=program)
    (record,) = supervisor.recorded()

    supervisor.stop_all()

    assert not record.is_alive()


def test_a_recycled_process_id_is_never_signalled(supervisor, tmp_path):
    start(supervisor, tmp_path)
    (record,) = supervisor.recorded()
    earlier = {**asdict(record), "started": record.started - 1}
    other = tmp_path / "other.json"
    other.write_text(json.dumps([earlier]))

    assert Supervisor(other, tmp_path).stop_all() == []

    assert record.is_alive()


def test_a_record_of_another_boot_is_not_alive(supervisor, tmp_path):
    start(supervisor, tmp_path)
    (record,) = supervisor.recorded()

    assert not ProcessRecord(**{**asdict(record), "boot": "another"}).is_alive()


def test_a_program_that_is_not_installed_is_an_error(supervisor, tmp_path):
    with pytest.raises(HarnessError, match=r"server could not be started: .*No such file"):
        supervisor.start("server", [tmp_path / "nothing"], environment={}, directory=tmp_path, ready=lambda: True)

    assert supervisor.recorded() == []


def test_a_process_that_ends_at_once_is_an_error_with_its_log(supervisor, tmp_path):
    with pytest.raises(HarnessError, match="broken ended with status 3") as caught:
        start(supervisor, tmp_path, "broken", "import sys; print('no config'); sys.exit(3)")

    assert last_lines(caught.value.log) == "    no config"


def test_a_process_that_is_never_ready_is_an_error(supervisor, tmp_path):
    with pytest.raises(HarnessError, match="timed out after 0 s; expected: slow is ready"):
        start(supervisor, tmp_path, "slow", "import signal; signal.pause()", timeout_seconds=0.1)
