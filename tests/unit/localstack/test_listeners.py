import json
import socket

import pytest

from localstack.configuration import PORTS
from localstack.errors import HarnessError
from localstack.listeners import accepts_connections, choose_ports, free_port, is_free


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_every_listener_gets_a_port_of_its_own_outside_the_range_of_outgoing_connections(tmp_path):
    ports = choose_ports(tmp_path / "ports.json", {})

    assert set(ports) == set(PORTS)
    assert len(set(ports.values())) == len(PORTS)
    assert all(1024 < port < 32768 for port in ports.values())


def test_ports_are_the_same_at_the_next_start(tmp_path):
    first = choose_ports(tmp_path / "ports.json", {})

    assert choose_ports(tmp_path / "ports.json", {}) == first


def test_a_requested_port_is_taken(tmp_path):
    ports = choose_ports(tmp_path / "ports.json", {"database": 20123})

    assert ports["database"] == 20123


def test_a_port_that_another_program_uses_is_reported_by_its_variable(tmp_path, taken_port):
    with pytest.raises(
        HarnessError, match=rf"{taken_port} \(EDGE_PORT\) is in use .* or set EDGE_PORT to another port"
    ):
        choose_ports(tmp_path / "ports.json", {"edge": taken_port})


def test_a_kept_port_that_another_program_uses_is_reported_with_the_price_of_a_new_one(tmp_path, taken_port):
    kept = tmp_path / "ports.json"
    kept.write_text(json.dumps({"edge": taken_port}))

    with pytest.raises(HarnessError, match=r"\(EDGE_PORT\) is in use .* or remove the archive with its data"):
        choose_ports(kept, {})


def test_the_port_that_stored_urls_name_cannot_change(tmp_path):
    kept = tmp_path / "ports.json"
    kept.write_text(json.dumps({"edge": 20001}))

    with pytest.raises(HarnessError, match="EDGE_PORT was 20001"):
        choose_ports(kept, {"edge": 20002})


def test_two_services_cannot_have_the_same_port(tmp_path):
    with pytest.raises(HarnessError, match="the same port"):
        choose_ports(tmp_path / "ports.json", {"edge": 20001, "database": 20001})


def test_a_port_is_free_until_a_server_listens_on_it(taken_port):
    port = free_port()

    assert is_free(port)
    assert not accepts_connections(port)
    assert not is_free(taken_port)
    assert accepts_connections(taken_port)
