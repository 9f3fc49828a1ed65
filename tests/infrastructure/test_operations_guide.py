"""The operations guide against the commands of AWS, the outputs of the stacks and the sums of the cost model."""

import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache

import botocore.session
import pytest
from botocore import xform_name

from cdk.cost import __main__ as cost
from cdk.cost import model, prices
from cdk.operations.watch import GUIDE
from cdk.project import PROJECT
from tests.infrastructure.support.synthesis import Template

TEXT = (PROJECT / GUIDE).read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```sh\n(.*?)^ *```", TEXT, re.DOTALL | re.MULTILINE)
SESSION = botocore.session.get_session()

# Options of the command line itself.
GLOBAL = {"output", "query", "region"}
# Commands that are not operations of a service's API.
OWN = {
    ("s3", "cp"): {"recursive"},
    ("logs", "tail"): {"since", "follow", "filter-pattern"},
}
OF_THE_COMMAND_LINE = {("lambda", "invoke"): {"cli-binary-format"}, ("cloudfront", "create-invalidation"): {"paths"}}


def commands() -> Iterator[list[str]]:
    """Words of every call of `aws` in the guide, without what follows a pipe or semicolon."""
    for block in [*BLOCKS, *re.findall(r"`(aws [^`]*)`", TEXT)]:
        joined = block.replace("\\\n", " ")
        for found in re.finditer(r"(?:^|\$\(| do | \{ ) *aws ", joined, re.MULTILINE):
            lexer = shlex.shlex(joined[found.end() :], posix=True, punctuation_chars="();|&\n>#")
            lexer.whitespace = " \t"
            lexer.whitespace_split = True
            words: list[str] = []
            depth = 0
            for word in lexer:
                depth += word.count("(") - word.count(")")
                if depth < 0 or (depth == 0 and re.match(r"[;|&\n>#]", word)):
                    break
                words.append(word)
            yield words


def identify(words: list[str]) -> str:
    return " ".join(words[:3])


@cache
def options_of(service: str, command: str) -> set[str]:
    """Options of an operation.

    Raises
    ------
    KeyError
        If the service has no such operation.
    """
    model = SESSION.get_service_model("s3" if service == "s3api" else service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(operations[command]).input_shape
    return {xform_name(member, "-") for member in shape.members} if shape else set()


def test_the_commands_are_found() -> None:
    assert len(list(commands())) > 25


@pytest.mark.parametrize("words", list(commands()), ids=identify)
def test_every_command_of_aws_exists_with_its_options(words: list[str]) -> None:
    service, command, *rest = words
    if command == "wait":
        waiters = SESSION.get_waiter_model(service)
        operations = {xform_name(name, "-"): waiters.get_waiter(name).operation for name in waiters.waiter_names}
        command = xform_name(operations[rest[0]], "-")
    given = {word.removeprefix("--") for word in rest if word.startswith("--")}
    known = OWN.get((service, command)) or options_of(service, command)
    assert given <= known | GLOBAL | OF_THE_COMMAND_LINE.get((service, command), set())


def test_sums_of_the_cost_model_are_quoted() -> None:
    for title, lines in cost.TABLES:
        assert f"| {title} | {model.total(lines(model.Site())):,.2f} |" in TEXT


def test_what_is_said_of_the_costs_follows_from_them() -> None:
    site = model.Site()
    received, kept = model.ingest(site), model.storage(site)
    objects = sum(line.dollars for line in received if line.service == "S3")
    assert "more than half of it is S3's price" in TEXT
    assert 0.5 < objects / model.total(received) < 0.6

    glacier, tiering = (line.dollars for line in model.tiering(site))
    cold_gb = kept[1].quantity / site.cold_share
    saved = cold_gb * (prices.S3_STANDARD_GB - prices.S3_GLACIER_INSTANT_GB)
    assert f"after\n  {glacier / saved:.1f} months" in TEXT
    static = kept[3].quantity * (prices.S3_STANDARD_GB - kept[3].unit_price) - kept[4].dollars
    assert f"Intelligent-Tiering after {tiering / static:.1f}" in TEXT

    endpoint_hours, endpoint_gb = model.endpoints(site)
    *nat_hours, nat_gb = model.nat(site)
    assert "as much by the hour as one NAT gateway with its public address, and less by the\n  GB" in TEXT
    assert endpoint_hours.dollars == pytest.approx(model.total(nat_hours))
    assert endpoint_gb.dollars < nat_gb.dollars
    assert model.total(model.managed(site)) < model.total(model.month(site))
    assert f"{prices.HEALTHIMAGING_FREQUENT_GB / prices.S3_STANDARD_GB:.1f} times S3's" in TEXT


def test_every_output_that_is_asked_for_is_there(templates: Mapping[str, Template]) -> None:
    asked = set(re.findall(r"\boutput ([a-z][a-z-]*) ([A-Z]\w+)", TEXT))
    assert len(asked) > 8
    for part, key in asked:
        assert key in templates[part]["Outputs"], f"{part} {key}"


def test_every_stack_stands_in_the_table(templates: Mapping[str, Template]) -> None:
    for part in templates:
        assert re.search(rf"^\| (.*, )?{part}(, .*)? \|", TEXT, re.MULTILINE), part
