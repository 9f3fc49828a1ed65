"""Times searches through the whole path: edge, API Gateway and Lambda of the emulator, database, DynamoDB.

    python -m benchmarks.search_api [STUDIES ...]       (databases that `benchmarks.search_fill` has filled)

Starts an archive of its own, and changes its secret so that the functions use the filled databases. DynamoDB gets only
the documents of the results that the measured searches return: a search reads no others.
"""

import json
import shutil
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from benchmarks.search_database import STATE, database_server, secret_of
from benchmarks.search_fill import sizes_of
from benchmarks.search_population import make_studies
from benchmarks.search_queries import searches
from benchmarks.search_speed import timed
from chalicelib.adapters.aws.dynamodb import DynamoDbRecordStore
from chalicelib.adapters.mysql.connections import connection_factory
from chalicelib.adapters.mysql.index import MysqlIndex
from chalicelib.dicomweb.attributes import DicomJson, Level
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.ports import ObjectVersion
from localstack.archive import Archive
from localstack.configuration import Configuration
from localstack.parts.aws import EmulatedAws
from localstack.parts.urls import Urls
from tests.support.database_server import Server

RUNS = 40
_AT = datetime(2024, 1, 1, tzinfo=UTC)
_DIRECTORY = STATE / "archive"
_RESOURCES = {Level.STUDY: "studies", Level.SERIES: "series", Level.INSTANCE: "instances"}


def put_documents(records: DynamoDbRecordStore, keys: Iterable[ResourceUids]) -> None:
    """Store a document for each key: that of one artificial study, with the UIDs of the key."""
    template = next(study for study in make_studies(0, 100) if study.series)
    series = template.series[0]
    for key in keys:
        uids = {"0020000D": key.study_instance_uid}
        if key.series_instance_uid is not None:
            uids["0020000E"] = key.series_instance_uid
        below = {key.series_instance_uid: _named(series.document, uids)} if key.series_instance_uid else {}
        records.put_qido_answers(key.study_instance_uid, _named(template.document, uids), below)
        if key.sop_instance_uid is not None:
            landing = ObjectVersion("landing", "benchmark")
            records.claim_instance(key, sha256="00", landing=landing, stored_at=_AT)
            document = _named(series.instance, {**uids, "00080018": key.sop_instance_uid})
            records.complete_instance(key, qido=document, metadata=None)


def _named(document: DicomJson, uids: dict[str, str]) -> DicomJson:
    return {**document, **{tag: {"vr": "UI", "Value": [uid]} for tag, uid in uids.items()}}


def path_of(level: Level, pairs: list[tuple[str, str]], path: dict[str, str]) -> str:
    """Return path and query of a search below the DICOMweb root."""
    parts = [""]
    if "study_instance_uid" in path:
        parts += ["studies", path["study_instance_uid"]]
    if "series_instance_uid" in path:
        parts += ["series", path["series_instance_uid"]]
    return "/".join([*parts, _RESOURCES[level]]) + (f"?{urlencode(pairs, quote_via=quote)}" if pairs else "")


def measure(urls: Urls, records: DynamoDbRecordStore, server: Server, studies: int) -> None:
    """Print the table of one size."""
    index = MysqlIndex(connection_factory(secret_of(server, studies)))
    root = urlsplit(urls.dicomweb)
    print(f"\n### {studies} studies\n\n| search | results | database p50 / p95 ms | through the edge p50 / p95 ms |")
    print("|---|---|---|---|")
    connection = HTTPConnection(root.netloc)
    for name, (level, pairs, path) in searches(studies).items():
        query = QidoQuery.parse(level, pairs, **path)
        keys = index.search(query).keys
        put_documents(records, keys)
        target = root.path + path_of(level, pairs, path)

        def ask(target: str = target) -> list[Any]:
            connection.request("GET", target, headers={"Accept": "application/dicom+json"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status not in (200, 204):
                raise RuntimeError(f"{target}: {answer.status} {body[:200]!r}")
            return json.loads(body) if body else []

        found = ask()
        if len(found) != len(keys):
            raise RuntimeError(f"{target}: {len(found)} results instead of {len(keys)}")
        database = timed(lambda query=query: index.search(query), RUNS)  # type: ignore[misc]
        whole = timed(ask, RUNS)
        print(
            f"| {name} | {len(keys)} | {database[0]:.1f} / {database[1]:.1f} | {whole[0]:.1f} / {whole[1]:.1f} |",
            flush=True,
        )
    index.close()


def lead_to(aws: EmulatedAws, configuration: Configuration, secret: dict[str, object]) -> None:
    """Make the functions use another database: after a change of their configuration, new workers read the secret."""
    aws.client("secretsmanager").put_secret_value(
        SecretId=configuration.database_secret, SecretString=json.dumps(secret)
    )
    functions = aws.client("lambda")
    api = f"static-dicomweb-{configuration.stage}"
    variables = functions.get_function_configuration(FunctionName=api)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=api, Environment={"Variables": {**variables, "BENCHMARK": str(secret["dbname"])}}
    )


def main() -> None:
    """Measure all sizes."""
    configuration = Configuration.from_environment({"STATE_DIR": str(_DIRECTORY), "SAMPLE": "0"})
    archive = Archive(configuration)
    try:
        urls = archive.start()
        aws = urls.aws()
        records = DynamoDbRecordStore(
            aws.client("dynamodb"),
            records_table=configuration.records_table,
            rejections_table=configuration.rejections_table,
        )
        with database_server() as server:
            for studies in sizes_of(sys.argv[1:]):
                lead_to(aws, configuration, secret_of(server, studies))
                measure(urls, records, server, studies)
    finally:
        archive.stop()
        shutil.rmtree(_DIRECTORY, ignore_errors=True)


if __name__ == "__main__":
    main()
