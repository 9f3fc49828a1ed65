"""Runs the emulator (ministack) with the patches that `chalice deploy` and `cdk deploy` need.

Runs with the Python of ``.venv-emulator`` (requirements-emulator.txt), so the only module of the project that it can
import is `cloudformation`, which runs there, too.

Strategy: ministack is patched from outside by the functions listed in `WORKAROUNDS`; each says what fails
without it. With a new version of ministack, try each of them again
(``WITHOUT=name,name python -m localstack.ministack.launcher`` leaves some out).
"""

import compileall
import hashlib
import json
import os
import sys
import tempfile
import threading
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import apigateway_v1, lambda_svc

from localstack.ministack import cloudformation

Response = tuple[int, dict[str, str], Any]


def activate_functions_at_once() -> None:
    """A new function is "Pending" for half a second; Chalice, which sees that once, then sleeps 10 to 20 s."""
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = 0.0


def shorten_wait_for_function_logs() -> None:
    """Each call of a function that logs nothing waits 50 ms for its stderr; 3 ms is enough on one machine."""
    for value in vars(lambda_runtime).values():
        drain = vars(value).get("_drain_stderr_bounded") if isinstance(value, type) else None
        if drain is not None:
            drain.__defaults__ = (0.003, 0.002, 0.250)  # first_line_wait, idle_confirm, hard_cap; in seconds


def accept_empty_compression_size() -> None:
    """Chalice writes an empty `minimumCompressionSize` to say "off"; botocore cannot read it back."""
    apply_patch = apigateway_v1._apply_patch

    def apply(target: dict[str, Any], operations: list[dict[str, Any]]) -> Any:
        kept = []
        for operation in operations:
            if operation.get("path") == "/minimumCompressionSize":
                if operation.get("value") in ("", None):
                    continue
                operation = {**operation, "value": int(operation["value"])}
            kept.append(operation)
        return apply_patch(target, kept)

    apigateway_v1._apply_patch = apply


def _import_paths(api_id: str, spec: dict[str, Any]) -> None:
    schemes = apigateway_v1._import_security_schemes(api_id, spec)
    for path, item in (spec.get("paths") or {}).items():
        apigateway_v1._import_path_item(api_id, path, item, schemes, spec.get("security"))
    _heed_extensions(api_id, spec)


def _heed_extensions(api_id: str, spec: dict[str, Any]) -> None:
    api = apigateway_v1._rest_apis[api_id]
    if "x-amazon-apigateway-binary-media-types" in spec:
        api["binaryMediaTypes"] = spec["x-amazon-apigateway-binary-media-types"]
    if "x-amazon-apigateway-policy" in spec:
        api["policy"] = json.dumps(spec["x-amazon-apigateway-policy"])


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _import_rest_api(body: bytes, query: dict[str, Any]) -> Response:
    spec = json.loads(body)
    info = spec.get("info") or {}
    types = query.get("endpointConfigurationTypes") or ["EDGE"]
    description = {
        "name": info.get("title", "api"),
        "version": info.get("version"),
        "endpointConfiguration": {"types": types if isinstance(types, list) else [types]},
    }
    _, _, created = apigateway_v1._create_rest_api(description)
    api_id = json.loads(created)["id"]
    _import_paths(api_id, spec)
    return _api_response(api_id, 201)


def _overwrite_rest_api(api_id: str, body: bytes, mode: str | None) -> Response:
    if api_id not in apigateway_v1._rest_apis:
        error: Response = apigateway_v1._v1_error("NotFoundException", "Invalid API identifier specified", 404)
        return error
    if mode == "overwrite":
        resources = apigateway_v1._resources.get(api_id, {})
        for resource_id in [key for key, resource in resources.items() if resource.get("path") != "/"]:
            del resources[resource_id]
        for root in resources.values():
            root["resourceMethods"] = {}
    _import_paths(api_id, json.loads(body))
    return _api_response(api_id, 200)


def _api_response(api_id: str, status: int) -> Response:
    view = apigateway_v1._rest_api_view(apigateway_v1._rest_apis[api_id])
    response: Response = apigateway_v1._v1_response(view, status)
    return response


def add_import_of_rest_apis() -> None:
    """ImportRestApi creates an empty API and PutRestApi is unknown: each call of a deployed API answers 403."""
    handle = apigateway_v1.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        parts = [part for part in path.split("/") if part]
        if parts[:1] == ["restapis"]:
            mode = _first(query.get("mode"))
            if method == "POST" and len(parts) == 1 and mode == "import":
                return _import_rest_api(body, query)
            if method == "PUT" and len(parts) == 2:
                return _overwrite_rest_api(parts[1], body, mode)
        answer: Response = await handle(method, path, headers, body, query)
        return answer

    apigateway_v1.handle_request = handle_request


def heed_extensions_of_templates() -> None:
    """Of an API in a template only the paths are kept: without its binary types, answers stay in base64."""
    import_rest_api = apigateway_v1._import_rest_api

    def import_with_extensions(spec: dict[str, Any], data: dict[str, Any]) -> str:
        api_id: str = import_rest_api(spec, data)
        _heed_extensions(api_id, spec)
        return api_id

    apigateway_v1._import_rest_api = import_with_extensions


_UNPACKING = threading.Lock()


class _SharedZip(zipfile.ZipFile):
    """A deployment package that is unpacked and compiled once; each worker gets a link to that directory."""

    def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
        """Replace `path`, an empty directory, by a link to the archive's content."""
        digest = hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()
        shared = Path(tempfile.gettempdir()) / f"package-{digest}"
        with _UNPACKING:  # workers start at the same time
            if not shared.exists():
                unpacked = Path(tempfile.mkdtemp(dir=shared.parent))
                super().extractall(unpacked, members, pwd)
                compileall.compile_dir(unpacked, quiet=2)
                unpacked.rename(shared)  # an interrupted one is never taken for complete
        Path(path).rmdir()
        Path(path).symlink_to(shared, target_is_directory=True)


def unpack_each_package_once() -> None:
    """Each worker unpacks and compiles the whole package: a cold start takes 1.8 s instead of 0.4 s."""
    # Only this module's name is replaced, not the library's class.
    lambda_runtime.zipfile = types.SimpleNamespace(**{**vars(zipfile), "ZipFile": _SharedZip})


WORKAROUNDS: tuple[Callable[[], None], ...] = (
    activate_functions_at_once,
    shorten_wait_for_function_logs,
    accept_empty_compression_size,
    add_import_of_rest_apis,
    heed_extensions_of_templates,
    unpack_each_package_once,
    *cloudformation.WORKAROUNDS,
)


def main() -> None:
    """Patch, then serve until SIGTERM."""
    left_out = set(filter(None, os.environ.get("WITHOUT", "").split(",")))
    for workaround in WORKAROUNDS:
        if workaround.__name__ not in left_out:
            workaround()
    # Imported last: the application binds the names that the workarounds replace.
    from ministack.app import main as serve

    sys.argv = sys.argv[:1]
    serve()


if __name__ == "__main__":
    main()
