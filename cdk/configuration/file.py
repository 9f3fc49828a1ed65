"""Reads the configuration file of a deployment, and explains to an administrator what is wrong with it."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from textwrap import indent
from typing import Any

from pydantic import ValidationError

from cdk.configuration.deployment import Deployment
from cdk.project import PROJECT

EXAMPLE = "cdk/deployment.example.toml"
DEFAULT_FILE = PROJECT / "cdk" / "deployment.toml"


class ConfigurationError(Exception):
    """The configuration cannot be used; the message lists everything that is wrong with it."""


def read_deployment(path: Path = DEFAULT_FILE) -> Deployment:
    """Read and check a configuration.

    Raises
    ------
    ConfigurationError
        If the file does not exist, cannot be read, is not valid TOML, or has settings that cannot be deployed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"The configuration file {path} does not exist.\n"
            f"Copy {EXAMPLE} to cdk/deployment.toml and fill it in. To use another file, set the environment "
            "variable DEPLOYMENT or call `cdk --context deployment=FILE`."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}. {EXAMPLE} shows the syntax.") from error
    try:
        return Deployment.model_validate(values)
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors()]
        text = "\n".join(f"- {problem}" for problem in problems)
        raise ConfigurationError(f"{path} cannot be used:\n{text}\n{EXAMPLE} explains each setting.") from error


def _problem(error: Mapping[str, Any]) -> str:
    if not error["loc"]:  # each value is valid, but they contradict each other
        return "\n- ".join(str(error["ctx"]["error"]).splitlines())
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        return f"{name}: there is no such setting{_suggestion(name)}"
    field = Deployment.model_fields[name]
    extra = field.json_schema_extra
    example = str(extra["example"]) if isinstance(extra, dict) else ""
    expected = f"Expected: {field.description}. For example:\n{indent(example, '    ')}"
    if error["type"] == "missing":
        return f"{name} is missing. {expected}"
    reason = f", and {error['ctx']['error']}" if error["type"] == "value_error" else ""
    where = "".join(f"[{part!r}]" for part in error["loc"][1:] if part != "[key]")
    return f"{name}{where} is {error['input']!r}{reason}. {expected}"


def _suggestion(name: str) -> str:
    close = get_close_matches(name, Deployment.model_fields, n=1)
    return f"; was {close[0]} meant?" if close else ""
