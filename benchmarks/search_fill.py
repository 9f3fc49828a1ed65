"""Fills databases of several sizes for `benchmarks.search_speed`, with the rows that a publication would write.

    python -m benchmarks.search_fill [STUDIES ...]      (10000, 100000 and 1000000; the last takes a quarter of an hour)

Rows come from the functions of `mysql_rows`, so the benchmark searches what the archive would hold; only of
a series' instances the first is made by them, and the others differ in UID and number. The tables
`publications` and `aggregates` stay empty: no search reads them.
"""

import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.search_database import STATE, connect, database_of, database_server
from benchmarks.search_population import CHUNK, MadeStudy, make_studies
from chalicelib.adapters.mysql import apply_schema
from chalicelib.adapters.mysql_rows import (
    Row,
    day_number,
    ending_rows,
    name_word_rows,
    request_attribute_rows,
    row_of,
)
from chalicelib.dicomweb.attributes import Level

SIZES = (10_000, 100_000, 1_000_000)
_SERIES_A_STUDY = 16  # at most, for keys that can be told without counting
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n"})


class _Tables:
    """Files in the form of LOAD DATA, one a table, and the tables' columns."""

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


def _write_chunk(directory: Path, studies: int, chunk: int) -> tuple[int, dict[str, list[str]], set[str], Counter[int]]:
    """Write the rows of one chunk of studies; returns it, the columns, the words of names and the days."""
    os.nice(5)
    (directory / str(chunk)).mkdir()
    tables = _Tables(directory / str(chunk))
    words: set[str] = set()
    days: Counter[int] = Counter()
    for study in make_studies(chunk, min(CHUNK, studies - chunk * CHUNK)):
        _write_study(tables, study, words, days)
    tables.close()
    return chunk, tables.columns, words, days


def _write_study(tables: _Tables, study: MadeStudy, words: set[str], days: Counter[int]) -> None:
    study_key = study.number + 1
    row = row_of(study.document, Level.STUDY)
    tables.add("studies", {"id": study_key, **row})
    days[day_number(row)] += 1
    for tag, word in sorted(name_word_rows(study.document)):
        tables.add("person_name_words", {"tag": tag, "word": word, "study_key": study_key})
        words.add(word)
    for index, series in enumerate(study.series):
        series_key = study_key * _SERIES_A_STUDY + index
        tables.add("series", {"id": series_key, "study_key": study_key, **row_of(series.document, Level.SERIES)})
        for item, attributes in enumerate(request_attribute_rows(series.document)):
            tables.add("request_attributes", {"series_key": series_key, "item": item, **attributes})
        instance = row_of(series.instance, Level.INSTANCE)
        numbered = {uid: number for number, uid in enumerate(series.sop_instance_uids, 1)}
        for uid in sorted(numbered):
            own = {"sop_instance_uid": uid, "instance_number": numbered[uid]}
            tables.add("instances", {"series_key": series_key, **instance, **own})


def fill(port: int, studies: int) -> None:
    """Make one database anew."""
    begun = time.monotonic()
    directory = STATE / "rows"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    chunks = range((studies + CHUNK - 1) // CHUNK)
    columns: dict[str, list[str]] = {}
    words: set[str] = set()
    days: Counter[int] = Counter()
    with ProcessPoolExecutor(2) as executor:
        for chunk, own_columns, own_words, own_days in executor.map(partial(_write_chunk, directory, studies), chunks):
            columns |= own_columns
            words |= own_words
            days += own_days
            _append(directory / str(chunk), directory)
    tables = _Tables(directory)
    for row in ending_rows(words - {""}):
        tables.add("person_name_endings", row)
    for day, count in sorted(days.items()):
        tables.add("study_days", {"day": day, "studies": count})
    tables.close()
    print(f"{studies} studies: rows made in {time.monotonic() - begun:.0f} s", flush=True)
    _load(port, studies, directory, columns | tables.columns)
    shutil.rmtree(directory)
    print(f"{studies} studies: loaded after {time.monotonic() - begun:.0f} s", flush=True)


def _append(source: Path, target: Path) -> None:
    for part in source.iterdir():
        with part.open("rb") as rows, (target / part.name).open("ab") as whole:
            shutil.copyfileobj(rows, whole)
    shutil.rmtree(source)


def _load(port: int, studies: int, directory: Path, columns: dict[str, list[str]]) -> None:
    database = database_of(studies)
    with connect(port) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {database}")
        cursor.execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci")
        connection.select_db(database)
        apply_schema(connection)
        # With both, MariaDB sorts the rows of an empty table instead of inserting one after the other.
        cursor.execute("SET unique_checks = 0, foreign_key_checks = 0")
        for table, names in columns.items():
            begun = time.monotonic()
            cursor.execute(
                f"LOAD DATA INFILE %s INTO TABLE {table} CHARACTER SET utf8mb4 ({', '.join(names)})",
                (str((directory / table).resolve()),),
            )
            print(f"  {table}: {cursor.rowcount} rows in {time.monotonic() - begun:.0f} s", flush=True)
            (directory / table).unlink()
            cursor.execute(f"ANALYZE TABLE {table}")


def sizes_of(arguments: Iterable[str]) -> list[int]:
    """The sizes that are asked for, or all."""
    return [int(argument) for argument in arguments] or list(SIZES)


def main() -> None:
    """Fill all sizes."""
    with database_server() as port:
        for studies in sizes_of(sys.argv[1:]):
            fill(port, studies)


if __name__ == "__main__":
    main()
