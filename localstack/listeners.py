"""Ports of an archive: chosen free once, kept for ever.

They are kept because stored things name them: queue URLs the emulator's, BulkDataURI and RetrieveURL the
edge's.
"""

import json
import random
import socket
from collections.abc import Mapping
from pathlib import Path

from localstack.configuration import HOST, PORTS
from localstack.errors import HarnessError

# Below the range that Linux gives to outgoing connections (from 32768): none of them takes a kept port.
_RANGE = range(20000, 32000)

# A changed one of these contradicts what is stored already.
_FIXED_BY_DATA = ("edge", "emulator")


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        # As servers do, so that connections of the last run in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_ports(kept: Path, requested: Mapping[str, int]) -> dict[str, int]:
    """Give each listener its port: the requested, else the one kept in the file, else a free one.

    Raises
    ------
    HarnessError
        A port is taken, given twice, or asked to change though stored data names it.
    """
    ports: dict[str, int] = json.loads(kept.read_text()) if kept.exists() else {}
    for name, port in requested.items():
        if name in _FIXED_BY_DATA and ports.get(name, port) != port:
            raise HarnessError(
                f"{PORTS[name]} was {ports[name]} when this archive was made, and its data names that port; "
                f"use it again, or `make clean` first"
            )
        ports[name] = port
    for name in PORTS:
        if name not in ports:
            ports[name] = _free_port(set(ports.values()))
    _check(ports)
    kept.write_text(json.dumps(ports, indent=2) + "\n")
    return ports


def _free_port(taken: set[int]) -> int:
    for port in random.sample(_RANGE, k=len(_RANGE)):
        if port not in taken and is_free(port):
            return port
    raise HarnessError(f"no port is free between {_RANGE.start} and {_RANGE.stop}")


def _check(ports: Mapping[str, int]) -> None:
    if len(set(ports.values())) < len(ports):
        raise HarnessError(f"two services have the same port: {dict(ports)}")
    for name, port in ports.items():
        if not is_free(port):
            raise HarnessError(
                f"port {port} ({PORTS[name]}) is taken by another program: end that program, set another "
                f"port, or `make clean` to begin with fresh ones"
            )
