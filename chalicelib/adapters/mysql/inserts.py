"""Rows into tables, many in a statement; the names of tables and columns are the schema's own constants."""

from collections.abc import Sequence

from pymysql.cursors import Cursor

from chalicelib.adapters.mysql.rows import Row

_BATCH_ROWS = 500


def upsert(cursor: Cursor, table: str, rows: Sequence[Row]) -> None:
    """Insert rows of the same columns, or bring those up to date that are there under the same key."""
    if rows:
        updates = ", ".join(f"{column} = VALUES({column})" for column in rows[0])
        insert(cursor, table, rows, f" ON DUPLICATE KEY UPDATE {updates}")


def insert(cursor: Cursor, table: str, rows: Sequence[Row], ending: str) -> None:
    """Insert rows of the same columns; `ending` ends the statement."""
    for start in range(0, len(rows), _BATCH_ROWS):
        batch = rows[start : start + _BATCH_ROWS]
        columns = list(batch[0])
        places = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(batch))
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES {places}{ending}",  # noqa: S608 - constants
            [row[column] for row in batch for column in columns],
        )
