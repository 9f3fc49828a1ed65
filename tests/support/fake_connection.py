"""A connection to the index without a server, and at the same time its only cursor."""

from typing import Any, Self


class FakeConnection:
    """Records the statements that are executed, with their values, and finds nothing."""

    def __init__(self) -> None:
        self.executed: list[tuple[str, Any]] = []

    def cursor(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, statement: str, values: Any = None) -> None:
        self.executed.append((statement.strip(), values))
