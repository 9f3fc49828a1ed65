"""Fills databases of several sizes for the search benchmarks, with the rows that a publication would write.

    python -m benchmarks.search_fill [STUDIES ...]      (10000, 100000 and 1000000; the last takes a quarter of an hour)

The functions of `adapters/mysql/rows.py` create the rows, so the benchmarks search what an archive would hold. Of the
instances of a series, they create the first only; the others differ from it in UID and number. The tables
`publications` and `aggregates` stay empty: no search reads them.
"""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pymysql.cursors import Cursor

from benchmarks.search_database import STATE, database_of, database_server
from benchmarks.search_population import CHUNK, MadeStudy, make_studies
from chalicelib.adapters.mysql.rows import (
    Row,
    day_number,
    ending_rows,
    name_word_rows,
    request_attribute_rows,
    row_of,
    text_ending_rows,
    text_values,
)
from chalicelib.adapters.mysql.schema import apply_schema
from chalicelib.dicomweb.attributes import Level
from tests.support.database_server import Server

SIZES = (10_000, 100_000, 1_000_000)
_SERIES_A_STUDY = 16  # the maximum; with it, keys can be computed without counting
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n"})


class _Tables:
    """Files for LOAD DATA, one for each table, and the tables' columns."""

    def __init__(self, directory: Path, mode: str = "w") -> None:
        self._directory = directory
        self._mode = mode
        self._files: dict[str, Any] = {}
        self.columns: dict[str, list[str]] = {}

    def add(self, table: str, row: Row) -> None:
        if table not in self._files:
            self._files[table] = (self._directory / table).open(self._mode, encoding="utf-8")
            self.columns[table] = list(row)
        self._files[table].write("\t".join(map(_field, row.values())) + "\n")

    def close(self) -> None:
        for file in self._files.values():
            file.close()


def _field(value: object) -> str:
    return "\\N" if value is None else str(value).translate(_ESCAPES)


@dataclass
class _Counted:
    """Rows that many studies share: words of names, text values whose endings are indexed, and days."""

    words: set[str] = field(default_factory=set)
    values: set[tuple[int, str]] = field(default_factory=set)
    days: Counter[int] = field(default_factory=Counter)

    def add(self, other: "_Counted") -> None:
        self.words |= other.words
        self.values |= other.values
        self.days += other.days


def _write_chunk(directory: Path, studies: int, chunk: int) -> tuple[int, dict[str, list[str]], _Counted]:
    """Write the rows of one chunk of studies; returns the chunk, the tables' columns, and what studies share."""
    os.nice(5)
    (directory / str(chunk)).mkdir()
    tables = _Tables(directory / str(chunk))
    counted = _Counted()
    for study in make_studies(chunk, min(CHUNK, studies - chunk * CHUNK)):
        _write_study(tables, study, counted)
    tables.close()
    return chunk, tables.columns, counted


def _write_study(tables: _Tables, study: MadeStudy, counted: _Counted) -> None:
    study_key = study.number + 1
    row = row_of(study.document, Level.STUDY)
    tables.add("studies", {"id": study_key, **row})
    counted.days[day_number(row)] += 1
    counted.values |= text_values(row)
    for tag, word in sorted(name_word_rows(study.document)):
        tables.add("person_name_words", {"tag": tag, "word": word, "study_key": study_key})
        counted.words.add(word)
    for index, series in enumerate(study.series):
        series_key = study_key * _SERIES_A_STUDY + index
        tables.add("series", {"id": series_key, "study_key": study_key, **row_of(series.document, Level.SERIES)})
        for item, attributes in enumerate(request_attribute_rows(series.document)):
            tables.add("request_attributes", {"series_key": series_key, "item": item, **attributes})
        instance = row_of(series.instance, Level.INSTANCE)
        numbered = {uid: number for number, uid in enumerate(series.sop_instance_uids, 1)}
        for uid in sorted(numbered):
            own: Row = {"sop_instance_uid": uid, "instance_number": numbered[uid]}
            tables.add("instances", {"series_key": series_key, **instance, **own})


def fill(server: Server, studies: int) -> None:
    """Create one database; an existing one of the same size is replaced."""
    begun = time.monotonic()
    directory = STATE / "rows"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    chunks = range((studies + CHUNK - 1) // CHUNK)
    columns: dict[str, list[str]] = {}
    counted = _Counted()
    with ProcessPoolExecutor(2) as executor:
        for chunk, own_columns, own in executor.map(partial(_write_chunk, directory, studies), chunks):
            columns |= own_columns
            counted.add(own)
            _append(directory / str(chunk), directory)
    tables = _Tables(directory)
    for row in ending_rows(counted.words - {""}):
        tables.add("person_name_endings", row)
    for value in counted.values:
        for row in text_ending_rows([value]):
            tables.add("text_endings", row)
    for day, count in sorted(counted.days.items()):
        tables.add("study_days", {"day": day, "studies": count})
    tables.close()
    for table in ("person_name_words", "text_endings"):
        # In the order of the primary key, so that the server writes each page once.
        path = str(directory / table)
        subprocess.run(["sort", "--buffer-size=1G", f"--output={path}", path], env={"LC_ALL": "C"}, check=True)
    print(f"{studies} studies: rows made in {time.monotonic() - begun:.0f} s", flush=True)
    _load(server, studies, directory, columns | tables.columns)
    shutil.rmtree(directory)
    print(f"{studies} studies: loaded after {time.monotonic() - begun:.0f} s", flush=True)


def _append(source: Path, target: Path) -> None:
    for part in source.iterdir():
        with part.open("rb") as rows, (target / part.name).open("ab") as whole:
            shutil.copyfileobj(rows, whole)
    shutil.rmtree(source)


def _load(server: Server, studies: int, directory: Path, columns: dict[str, list[str]]) -> None:
    database = database_of(studies)
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {database}")
        cursor.execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci")
        connection.select_db(database)
        apply_schema(connection)
        for table, names in columns.items():
            begun = time.monotonic()
            keys = _keys_of(cursor, table)
            if keys:
                cursor.execute(f"ALTER TABLE {table} {', '.join(f'DROP KEY {name}' for name, _ in keys)}")
            cursor.execute(
                f"LOAD DATA LOCAL INFILE %s INTO TABLE {table} CHARACTER SET utf8mb4 ({', '.join(names)})",
                (str((directory / table).resolve()),),
            )
            print(f"  {table}: {cursor.rowcount} rows in {time.monotonic() - begun:.0f} s", flush=True)
            (directory / table).unlink()
            if keys:
                cursor.execute(f"ALTER TABLE {table} {', '.join(f'ADD {definition}' for _, definition in keys)}")
            cursor.execute(f"ANALYZE TABLE {table}")
            print(f"  {table}: with its keys in {time.monotonic() - begun:.0f} s", flush=True)


def _keys_of(cursor: Cursor, table: str) -> list[tuple[str, str]]:
    """Return names and definitions of the secondary keys; they are created after the rows, when sorting suffices."""
    cursor.execute(
        "SELECT index_name, non_unique, GROUP_CONCAT(column_name ORDER BY seq_in_index) "
        "FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = %s "
        "AND index_name <> 'PRIMARY' GROUP BY index_name, non_unique ORDER BY index_name",
        (table,),
    )
    return [
        (name, f"{'' if non_unique else 'UNIQUE '}KEY {name} ({columns})")
        for name, non_unique, columns in cursor.fetchall()
    ]


def sizes_of(arguments: Iterable[str]) -> list[int]:
    """Return the sizes that the arguments name, or all."""
    return [int(argument) for argument in arguments] or list(SIZES)


def main() -> None:
    """Fill all sizes."""
    with database_server() as server:
        for studies in sizes_of(sys.argv[1:]):
            fill(server, studies)


if __name__ == "__main__":
    main()
