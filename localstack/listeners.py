"""Ports of an archive: free ones are chosen at the first start, and kept.

They are kept because stored data name them: queue URLs contain the emulator's port, BulkDataURI and RetrieveURL the
edge's.
"""

import json
import random
import socket
from collections.abc import Collection, Mapping
from pathlib import Path

from localstack.configuration import HOST, PORTS
from localstack.errors import HarnessError

# Below the range of outgoing connections on Linux (from 32768): none of them occupies a kept port.
_RANGE = range(20000, 32000)

# Stored data name these ports, so they cannot change.
_FIXED_BY_DATA = ("edge", "emulator")


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier run that are in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def accepts_connections(port: int) -> bool:
    """Whether a server listens on the port now."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port(taken: Collection[int] = ()) -> int:
    """Return a free port that is not among those `taken`.

    Raises
    ------
    HarnessError
        All ports of the range are in use.
    """
    for port in random.sample(_RANGE, k=len(_RANGE)):
        if port not in taken and is_free(port):
            return port
    raise HarnessError(f"no port is free between {_RANGE.start} and {_RANGE.stop - 1}")


def choose_ports(kept: Path, requested: Mapping[str, int], *, clean_command: str = "make clean") -> dict[str, int]:
    """Return the port of each listener: the requested one, or that of the first start, or a free one.

    Parameters
    ----------
    kept
        The file that holds the ports from start to start.
    requested
        Ports that the user sets, by the names in `PORTS`.
    clean_command
        Command that removes the archive with its ports, for messages.

    Raises
    ------
    HarnessError
        A port is in use, is set twice, or differs from the one that stored data name.
    """
    ports: dict[str, int] = json.loads(kept.read_text()) if kept.exists() else {}
    fixed = set(_FIXED_BY_DATA) & set(ports)
    for name, port in requested.items():
        if name in fixed and ports[name] != port:
            raise HarnessError(
                f"{PORTS[name]} was {ports[name]} when this archive was created, and its data name that port: "
                f"leave {PORTS[name]} out, or remove the archive with its data first (`{clean_command}`)"
            )
        ports[name] = port
    for name in PORTS:
        if name not in ports:
            ports[name] = free_port(set(ports.values()))
    _check(ports, fixed, clean_command)
    kept.write_text(json.dumps(ports, indent=2) + "\n")
    return ports


def _check(ports: Mapping[str, int], fixed: Collection[str], clean_command: str) -> None:
    if len(set(ports.values())) < len(ports):
        listed = ", ".join(f"{PORTS[name]} {port}" for name, port in ports.items())
        raise HarnessError(f"two services cannot have the same port: {listed}")
    for name, port in ports.items():
        if not is_free(port):
            another = (
                f"or remove the archive with its data (`{clean_command}`): the next one gets new ports"
                if name in fixed
                else f"or set {PORTS[name]} to another port"
            )
            raise HarnessError(f"port {port} ({PORTS[name]}) is in use by another program: end that program, {another}")
