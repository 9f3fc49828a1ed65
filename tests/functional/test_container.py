"""The container and the compose file, as far as they can be checked without an engine."""

from __future__ import annotations

import re
import shutil
import string
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from compose_spec import PyCompose

from cdk.project import PROJECT
from chalicelib.settings import Settings
from localstack.backend.docker import DockerBackend
from localstack.configuration import HOST, Configuration, Layout
from localstack.parts.aws import EmulatedAws
from localstack.parts.mariadb import Database

DOCKERFILE = PROJECT / "stow_nlb" / "Dockerfile"
COMPOSE = PROJECT / "localstack" / "backend" / "docker-compose.yml"
NGINX = PROJECT / "stow_nlb" / "nginx.conf"
PORTS = {"emulator": 4566, "database": 3307, "stow_proxy": 8090}


# --- the image ----------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile in order, with continued lines joined."""
    text = re.sub(r"(?m)^#.*\n", "", DOCKERFILE.read_text()).replace("\\\n", "")
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in text.splitlines() if line.strip()]


def test_the_dockerfile_has_no_findings() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    result = subprocess.run([hadolint, "--no-color", DOCKERFILE], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


def test_the_base_is_pinned_and_the_same_in_both_stages() -> None:
    [base] = [value for name, value in instructions() if name == "ARG"]
    assert re.fullmatch(r"BASE=python:3\.11\.\d+-slim-bookworm", base)
    assert [value for name, value in instructions() if name == "FROM"] == ["${BASE} AS build", "${BASE}"]


def test_the_image_runs_as_a_number_that_is_not_root_and_writes_below_tmp_only() -> None:
    names = [name for name, _ in instructions()]
    values = dict(instructions())
    assert values["USER"] == "10001:10001"
    assert values["VOLUME"] == '["/tmp"]'
    assert names.index("VOLUME") < names.index("USER") < names.index("ENTRYPOINT")
    assert "HEALTHCHECK" in names
    script = (PROJECT / "stow_nlb" / "entrypoint.sh").read_text()
    assert "RUN_DIR=/tmp/stow\n" in script
    assert set(re.findall(r'> *"?([^"\s&]+)', script)) == {"$RUN_DIR/nginx.conf", "/dev/null"}


def test_what_the_image_copies_exists_and_is_in_the_builds_context() -> None:
    copied = [value.split()[0] for name, value in instructions() if name == "COPY" and "--from" not in value]
    context = (PROJECT / ".dockerignore").read_text().splitlines()
    for source in copied:
        assert (PROJECT / source).exists()
        assert f"!{source.partition('/')[0]}" in context


def test_the_entry_point_is_a_script_that_the_shell_can_read() -> None:
    script = PROJECT / "stow_nlb" / "entrypoint.sh"
    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", script], check=True)


def test_a_task_that_is_told_to_stop_tells_the_service_once(tmp_path: Path) -> None:
    # A second SIGTERM makes aiohttp drop the requests that it is finishing.
    started = tmp_path / "started"
    for name in ("python", "nginx"):
        stand_in = tmp_path / name
        stand_in.write_text(
            f'#!/bin/bash\n[ "$1" = -c -a {name} = python ] || {{ echo >> {started}; exec sleep 1; }}\n'
        )
        stand_in.chmod(0o755)
    script = (PROJECT / "stow_nlb" / "entrypoint.sh").read_text().replace("/tmp/stow", str(tmp_path / "run"))
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "STOW_HOST": HOST, "STOW_PORT": "1"}
    with subprocess.Popen(["bash", "-xc", script], env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 10
        while not started.exists() or len(started.read_text()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.terminate()
        _, trace = process.communicate(timeout=10)
    assert [line.split()[-2] for line in trace.splitlines() if " kill -" in line] == ["-QUIT", "-TERM"]


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    configuration = tmp_path / "nginx.conf"
    values = {"LISTEN": "127.0.0.1:8080", "UPSTREAM": "127.0.0.1:8081", "RUN_DIR": str(tmp_path)}
    configuration.write_text(string.Template(NGINX.read_text()).substitute(values))
    result = subprocess.run(
        ["nginx", "-t", "-c", configuration, "-e", "stderr"], capture_output=True, text=True, check=False
    )
    assert "test is successful" in result.stderr, result.stderr


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_every_path_that_nginx_writes_to_lies_in_one_directory() -> None:
    built_in = set(
        re.findall(
            r"--(\S+?)-path=", subprocess.run(["nginx", "-V"], capture_output=True, text=True, check=True).stderr
        )
    )
    text = NGINX.read_text()
    assert built_in - {"conf", "modules"} == {
        "error-log",
        "http-log",
        "pid",
        "lock",
        "http-client-body-temp",
        "http-proxy-temp",
        "http-fastcgi-temp",
        "http-uwsgi-temp",
        "http-scgi-temp",
    }
    assert "error_log stderr warn;" in text
    assert "access_log off;" in text
    for directive in (
        "pid",
        "lock_file",
        "client_body_temp_path",
        "proxy_temp_path",
        "fastcgi_temp_path",
        "uwsgi_temp_path",
        "scgi_temp_path",
    ):
        assert re.search(rf"(?m)^ *{directive} \$\{{RUN_DIR\}}/\w[\w.]*;$", text), directive


# --- the compose file ---------------------------------------------------------------------------


class Recorded(DockerBackend):
    """Takes down the commands, and the variables that each was given."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration, PORTS)
        self.commands: list[tuple[tuple[str, ...], dict[str, str]]] = []

    def _compose(self, *arguments: str) -> None:
        self.commands.append((arguments, dict(self._environment)))


@pytest.fixture
def commands(tmp_path: Path) -> list[tuple[tuple[str, ...], dict[str, str]]]:
    """What the harness asks of `docker compose` to start an archive."""
    configuration = Configuration(layout=Layout(tmp_path), backend="localstack")
    backend = Recorded(configuration)
    backend.start_aws()
    database = Database(
        port=3307, function_host="mysql", function_port=3306, name="archive", user="archive", password="password"
    )
    backend.start_database(database)
    aws = EmulatedAws(PORTS["emulator"], configuration.region, localstack=True)
    settings = {
        "LANDING_BUCKET": "landing",
        "STATIC_BUCKET": "static",
        "RECORDS_TABLE": "records",
        "REJECTIONS_TABLE": "rejections",
        "DATABASE_SECRET_ID": "archive/database",
        "LANDING_QUEUE_NAME": "landing",
        "DICOMWEB_ROOT": f"http://{HOST}:8000/dicomweb",
    }
    backend.start_stow({**settings, **aws.environment()})
    return backend.commands


VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(:-)?\}")


def interpolated(environment: dict[str, str]) -> dict[str, Any]:
    """The compose file as Docker reads it; every variable without a default must be given."""
    text = VARIABLE.sub(
        lambda found: environment.get(found[1], "") if found[2] else environment[found[1]], COMPOSE.read_text()
    )
    return dict(PyCompose.from_yaml(text).to_dict())


def test_the_compose_file_keeps_to_the_specification_at_each_step(commands: Any) -> None:
    assert [arguments[-1] for arguments, _ in commands] == ["localstack", "mysql", "stow"]
    for _, environment in commands:
        assert set(interpolated(environment)["services"]) == {"localstack", "mysql", "stow"}


def test_every_variable_of_the_compose_file_is_given_when_its_service_starts(commands: Any) -> None:
    _, environment = commands[-1]
    names = {found[0] for found in VARIABLE.findall(COMPOSE.read_text())}
    assert {name for name in names if not environment.get(name)} == set()


def test_ports_are_published_on_the_loopback_interface_only(commands: Any) -> None:
    services = interpolated(commands[-1][1])["services"]
    published = {name: [str(port) for port in service["ports"]] for name, service in services.items()}
    assert published == {
        "localstack": ["127.0.0.1:4566:4566"],
        "mysql": ["127.0.0.1:3307:3306"],
        "stow": ["127.0.0.1:8090:8080"],
    }


def test_images_are_pinned_to_a_version_or_built_here(commands: Any) -> None:
    services = interpolated(commands[-1][1])["services"]
    images = {name: service["image"] for name, service in services.items() if "image" in service}
    assert set(images) == {"localstack", "mysql"}
    for image in images.values():
        assert re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+", image)
    build = services["stow"]["build"]
    assert (COMPOSE.parent / build["context"] / build["dockerfile"]).resolve() == DOCKERFILE


def test_the_container_gets_all_that_the_service_must_be_told(commands: Any) -> None:
    given = interpolated(commands[-1][1])["services"]["stow"]["environment"]
    assert Settings.from_environment(given) == Settings(
        landing_bucket="landing",
        static_bucket="static",
        records_table="records",
        rejections_table="rejections",
        database_secret_id="archive/database",
        landing_queue_name="landing",
        dicomweb_root=f"http://{HOST}:8000/dicomweb",
    )
