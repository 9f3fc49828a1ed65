"""Prints what the archive costs on AWS: per million instances, per TiB and month, per study viewed, and when idle.

    python -m cdk.cost [--instances-per-month 1000000] [--stored-tib 10] ...

Each assumption of the model (cdk/cost/model.py) is an argument.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields

from cdk.cost.model import (
    Line,
    Site,
    endpoints,
    fixed,
    ingest,
    managed,
    month,
    nat,
    storage,
    tiering,
    total,
    views,
)


def table(title: str, lines: Sequence[Line]) -> str:
    """Return a table in Markdown, with the sum in its last row."""
    rows = [f"| {line.service} | {line.what} | {_number(line.quantity)} | {line.dollars:,.2f} |" for line in lines]
    head = [f"**{title}**", "", "| service | what | quantity | USD |", "|---|---|--:|--:|"]
    return "\n".join([*head, *rows, f"| **sum** | | | **{total(lines):,.2f}** |", ""])


def _number(quantity: float) -> str:
    return f"{quantity:,.0f}" if quantity >= 100 or quantity == int(quantity) else f"{quantity:,.1f}"


TABLES: Sequence[tuple[str, Callable[[Site], list[Line]]]] = (
    ("A million instances received", ingest),
    ("A TiB of received files, a month", storage),
    ("The same TiB moved to the colder classes, once", tiering),
    ("A thousand studies viewed", views),
    ("Fixed, a month", fixed),
    ("The network's way to AWS: interface endpoints, a month", endpoints),
    ("The same with NAT gateways, a month", nat),
    ("The whole month", month),
    ("The same month in AWS HealthImaging", managed),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print all tables for the given assumptions; return the process's exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m cdk.cost", description=__doc__.partition("\n")[0] if __doc__ else ""
    )
    for field in fields(Site):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, default=field.default, metavar="N")
    site = Site(**vars(parser.parse_args(arguments)))
    assumed = ", ".join(f"{field.name.replace('_', ' ')} {getattr(site, field.name):g}" for field in fields(Site))
    print(f"List prices, us-east-1. Assumed: {assumed}.\n")  # noqa: T201 - a command-line tool
    for title, lines in TABLES:
        print(table(title, lines(site)))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
