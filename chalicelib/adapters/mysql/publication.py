"""The turn of a study's publisher on MySQL: versions, aggregates, and all rows in one transaction.

Strategy: the study's named lock lives on the connection that this turn uses and on no other, so whoever
loses the connection loses the lock, and cannot commit either. The commit asks for the lock nevertheless,
inside its transaction: an operator may have ended it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pymysql.connections import Connection
from pymysql.cursors import Cursor

from chalicelib.adapters.mysql.conditions import SqlValue
from chalicelib.adapters.mysql.connections import retry_deadlocks, service_faults
from chalicelib.adapters.mysql.inserts import insert, upsert
from chalicelib.adapters.mysql.rows import Row, day_number, request_attribute_rows, row_of, text_values
from chalicelib.adapters.mysql.text_index import insert_missing_text_endings, replace_name_words
from chalicelib.dicomweb.attributes import SERIES_INSTANCE_UID, DicomJson, Level
from chalicelib.errors import ServiceFaultError
from chalicelib.ports import AggregateState, PublicationTurn, StudyPublication

# Names of locks are the server's, not the database's, and hold 64 characters: a digest of both. The same
# expression is used wherever the lock is.
LOCK_NAME = "SHA2(CONCAT(DATABASE(), '/', %s), 256)"


class MysqlPublicationTurn(PublicationTurn):
    """PublicationTurn on the connection that holds the study's lock.

    Parameters
    ----------
    connection
        In autocommit mode.
    study_instance_uid
        The study whose lock it holds.
    """

    def __init__(self, connection: "Connection[Any]", study_instance_uid: str) -> None:
        self._connection = connection
        self._study_instance_uid = study_instance_uid

    def published_version(self) -> int:
        """Version that the index shows; 0 before the first publication."""
        return self._version("SELECT published FROM publications WHERE study_instance_uid = %s")

    def dirty_version(self) -> int:
        """Latest version that somebody asked to publish."""
        return self._version("SELECT dirty FROM publications WHERE study_instance_uid = %s")

    def aggregates(self) -> Mapping[str, AggregateState]:
        """What StudyPublication.aggregates said last time."""
        with service_faults(), self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT series_instance_uid, etag, digest FROM aggregates WHERE study_instance_uid = %s",
                (self._study_instance_uid,),
            )
            return {series: AggregateState(etag, digest) for series, etag, digest in cursor.fetchall()}

    def ensure_held(self) -> None:
        """Raise ServiceFaultError if the lock was lost."""
        with service_faults(), self._connection.cursor() as cursor:
            self._check_lock(cursor)

    def commit(self, version: int, publication: StudyPublication) -> None:
        """Write all rows and `version` as published, in one transaction.

        Raises
        ------
        ServiceFaultError
            If the database fails, or the lock is no longer held: nothing is written.
        """
        # Read the documents once, before the transaction: they may be an iterator, and it may run again.
        instances = [
            (_uid(document, SERIES_INSTANCE_UID.tag), row_of(document, Level.INSTANCE))
            for document in publication.instances
        ]
        with service_faults():
            retry_deadlocks(lambda: self._transaction(version, publication, instances))

    def _version(self, sql: str) -> int:
        with service_faults(), self._connection.cursor() as cursor:
            cursor.execute(sql, (self._study_instance_uid,))
            row = cursor.fetchone()
            return int(row[0]) if row else 0

    def _transaction(self, version: int, publication: StudyPublication, instances: Sequence[tuple[str, Row]]) -> None:
        self._connection.begin()
        try:
            with self._connection.cursor() as cursor:
                self._check_lock(cursor)
                study = row_of(publication.study, Level.STUDY)
                before = _row_shown(cursor, study)
                study_key = _upsert_study(cursor, study)
                # What the study had before has its ends already.
                insert_missing_text_endings(cursor, text_values(study) - (text_values(before) if before else set()))
                replace_name_words(cursor, study_key, publication.study)
                upsert(
                    cursor,
                    "series",
                    [
                        {"study_key": study_key, **row_of(document, Level.SERIES)}
                        for document in publication.series.values()
                    ],
                )
                cursor.execute("SELECT series_instance_uid, id FROM series WHERE study_key = %s", (study_key,))
                series_keys: dict[str, int] = dict(cursor.fetchall())
                for series_instance_uid, document in publication.series.items():
                    _replace_request_attributes(cursor, series_keys[series_instance_uid], document)
                _insert_missing_instances(cursor, series_keys, instances)
                self._write_state(cursor, version, publication.aggregates)
                # Last, since all publications of a day's new studies wait for its one row.
                _count_day(cursor, day_number(before) if before else None, day_number(study))
            self._connection.commit()
        except BaseException:
            if self._connection.open:
                self._connection.rollback()
            raise

    def _check_lock(self, cursor: Cursor) -> None:
        cursor.execute(f"SELECT IS_USED_LOCK({LOCK_NAME}) = CONNECTION_ID()", (self._study_instance_uid,))
        row = cursor.fetchone()
        if not row or row[0] != 1:
            raise ServiceFaultError("The lock of the study was lost; nothing was published")

    def _write_state(self, cursor: Cursor, version: int, aggregates: Mapping[str, AggregateState]) -> None:
        upsert(
            cursor,
            "aggregates",
            [
                {
                    "study_instance_uid": self._study_instance_uid,
                    "series_instance_uid": series_instance_uid,
                    "etag": state.etag,
                    "digest": state.digest,
                }
                for series_instance_uid, state in aggregates.items()
            ],
        )
        cursor.execute(
            "INSERT INTO publications (study_instance_uid, dirty, published) VALUES (%s, %s, %s) "
            "ON DUPLICATE KEY UPDATE published = GREATEST(published, VALUES(published))",
            (self._study_instance_uid, version, version),
        )


def _row_shown(cursor: Cursor, study: Row) -> Row | None:
    """The study's row as it is before this publication; None if there is none yet."""
    columns = list(study)
    cursor.execute(
        f"SELECT {', '.join(columns)} FROM studies WHERE study_instance_uid = %s",  # noqa: S608 - constants only
        (study["study_instance_uid"],),
    )
    row = cursor.fetchone()
    return dict(zip(columns, row, strict=True)) if row else None


def _count_day(cursor: Cursor, before: int | None, day: int) -> None:
    if before == day:
        return
    cursor.execute(
        "INSERT INTO study_days (day, studies) VALUES (%s, 1) ON DUPLICATE KEY UPDATE studies = studies + 1", (day,)
    )
    if before is not None:
        cursor.execute("UPDATE study_days SET studies = studies - 1 WHERE day = %s", (before,))


def _upsert_study(cursor: Cursor, row: Row) -> int:
    upsert(cursor, "studies", [row])
    cursor.execute("SELECT id FROM studies WHERE study_instance_uid = %s", (row["study_instance_uid"],))
    return int((cursor.fetchone() or (0,))[0])


def _replace_request_attributes(cursor: Cursor, series_key: int, series: DicomJson) -> None:
    rows = request_attribute_rows(series)
    cursor.execute("DELETE FROM request_attributes WHERE series_key = %s AND item >= %s", (series_key, len(rows)))
    upsert(
        cursor,
        "request_attributes",
        [{"series_key": series_key, "item": item, **row} for item, row in enumerate(rows)],
    )


def _insert_missing_instances(
    cursor: Cursor, series_keys: Mapping[str, int], instances: Sequence[tuple[str, Row]]
) -> None:
    # An instance never changes once it is published: what is there stays.
    there: set[tuple[int, str]] = set()
    for series_key in sorted({series_keys[series_instance_uid] for series_instance_uid, _ in instances}):
        cursor.execute("SELECT sop_instance_uid FROM instances WHERE series_key = %s", (series_key,))
        there.update((series_key, sop_instance_uid) for (sop_instance_uid,) in cursor.fetchall())
    missing: dict[tuple[int, SqlValue], Row] = {}
    for series_instance_uid, row in instances:
        key = (series_keys[series_instance_uid], row["sop_instance_uid"])
        if key not in there:
            missing.setdefault(key, {"series_key": key[0], **row})
    insert(cursor, "instances", [missing[key] for key in sorted(missing, key=str)], "")


def _uid(document: DicomJson, tag: str) -> str:
    uid: str = document[tag]["Value"][0]
    return uid
