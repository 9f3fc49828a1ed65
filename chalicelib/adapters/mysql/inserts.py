"""Inserts rows, many in one statement. Names of tables and columns must be constants of the schema."""

from collections.abc import Sequence

from pymysql.cursors import Cursor

from chalicelib.adapters.mysql.rows import Row

_BATCH_ROWS = 500


def upsert(cursor: Cursor, table: str, rows: Sequence[Row]) -> None:
    """Insert rows of the same columns, or update the existing rows with the same key."""
    if rows:
        updates = ", ".join(f"{column} = VALUES({column})" for column in rows[0])
        insert(cursor, table, rows, f" ON DUPLICATE KEY UPDATE {updates}")


def insert(cursor: Cursor, table: str, rows: Sequence[Row], ending: str) -> None:
    """Insert rows of the same columns; `ending` is appended to each statement."""
    for start in range(0, len(rows), _BATCH_ROWS):
        batch = rows[start : start + _BATCH_ROWS]
        columns = list(batch[0])
        places = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(batch))
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES {places}{ending}",  # noqa: S608 - constants
            [row[column] for row in batch for column in columns],
        )
