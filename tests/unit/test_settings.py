"""Settings as they are read from the environment."""

import pytest

from chalicelib.bootstrap import Services
from chalicelib.errors import ServiceFaultError
from chalicelib.settings import DatabaseTls, Settings, StowSettings, archive_name, landing_queue_name
from docs.settings_table import with_settings_tables

REQUIRED = {
    "LANDING_BUCKET": "landing",
    "STATIC_BUCKET": "static",
    "RECORDS_TABLE": "records",
    "REJECTIONS_TABLE": "rejections",
    "DATABASE_SECRET_ID": "database",
}


def read(**variables: str) -> Settings:
    return Settings.from_environment({**REQUIRED, **variables})


def test_every_setting_of_all_processes_is_read_from_its_variable() -> None:
    assert read(
        LANDING_QUEUE_NAME="queue",
        LANDING_RETRY_SECONDS="30",
        ARCHIVE_NAME="hospital",
        DICOMWEB_ROOT="https://archive.example/dicomweb/",
        DATABASE_MASTER_SECRET_ID="master",
        DATABASE_TLS="verified",
        DATABASE_CA_FILE="ca.pem",
        IN_MEMORY_BYTES="1",
        MAX_INFLATED_BYTES="2",
        MAX_INSTANCE_BYTES="3",
    ) == Settings(
        landing_bucket="landing",
        static_bucket="static",
        records_table="records",
        rejections_table="rejections",
        database_secret_id="database",
        landing_queue_name="queue",
        landing_retry_seconds=30,
        archive_name="hospital",
        dicomweb_root="https://archive.example/dicomweb",
        database_master_secret_id="master",
        database_tls=DatabaseTls.VERIFIED,
        database_ca_file="ca.pem",
        in_memory_bytes=1,
        max_inflated_bytes=2,
        max_instance_bytes=3,
    )


def test_every_setting_of_the_store_service_is_read_from_its_variable() -> None:
    assert StowSettings.from_environment(
        {
            "STOW_HOST": "0.0.0.0",
            "STOW_PORT": "1",
            "STOW_IDLE_TIMEOUT_SECONDS": "2.5",
            "STOW_SHUTDOWN_TIMEOUT_SECONDS": "3",
            "STOW_BUFFER_BYTES": "4",
            "STOW_IN_MEMORY_BYTES": "5",
            "STOW_UPLOADS_PER_REQUEST": "6",
            "STOW_UPLOAD_THREADS": "7",
            "STOW_MAX_INSTANCES": "8",
        }
    ) == StowSettings(
        host="0.0.0.0",
        port=1,
        idle_timeout_seconds=2.5,
        shutdown_timeout_seconds=3.0,
        buffer_bytes=4,
        in_memory_bytes=5,
        uploads_per_request=6,
        upload_threads=7,
        max_instances=8,
    )


def test_what_declares_the_functions_is_read_without_the_required_settings() -> None:
    assert landing_queue_name({}) == "landing"
    assert landing_queue_name({"LANDING_QUEUE_NAME": "queue"}) == "queue"
    assert archive_name({}) is None
    assert archive_name({"ARCHIVE_NAME": "hospital"}) == "hospital"


def test_a_document_without_the_markers_gets_no_tables() -> None:
    with pytest.raises(ValueError, match="settings: end"):
        with_settings_tables("# A document\n")


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_variable_that_is_missing_is_named(missing: str) -> None:
    with pytest.raises(KeyError, match=missing):
        Settings.from_environment({name: value for name, value in REQUIRED.items() if name != missing})


@pytest.mark.parametrize(
    ("variables", "tls"),
    [
        ({}, DatabaseTls.PREFERRED),
        ({"DATABASE_TLS": ""}, DatabaseTls.PREFERRED),
        ({"DATABASE_TLS": "required"}, DatabaseTls.REQUIRED),
        ({"DATABASE_TLS": "verified"}, DatabaseTls.VERIFIED),
        ({"DATABASE_CA_FILE": "ca.pem"}, DatabaseTls.VERIFIED),
        ({"DATABASE_CA_FILE": "ca.pem", "DATABASE_TLS": "verified"}, DatabaseTls.VERIFIED),
    ],
)
def test_a_database_whose_authorities_are_given_is_checked(variables: dict[str, str], tls: DatabaseTls) -> None:
    assert read(**variables).database_tls is tls


def test_a_kind_of_tls_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="DATABASE_TLS is 'yes', not one of preferred, required, verified"):
        read(DATABASE_TLS="yes")


@pytest.mark.parametrize("tls", ["preferred", "required"])
def test_authorities_are_refused_if_no_certificate_would_be_checked(tls: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_CA_FILE is given, but DATABASE_TLS"):
        read(DATABASE_CA_FILE="ca.pem", DATABASE_TLS=tls)


def test_what_is_empty_is_not_set() -> None:
    settings = read(ARCHIVE_NAME="", LANDING_RETRY_SECONDS="", DATABASE_MASTER_SECRET_ID="", DATABASE_CA_FILE="")
    assert settings == read()
    assert settings.archive_name is None
    assert settings.landing_retry_seconds is None


@pytest.mark.parametrize("variable", ["LANDING_QUEUE_NAME", "DICOMWEB_ROOT", "IN_MEMORY_BYTES", "MAX_INSTANCE_BYTES"])
def test_an_empty_variable_leaves_the_default(variable: str) -> None:
    assert read(**{variable: ""}) == read()


@pytest.mark.parametrize("variable", REQUIRED)
def test_a_required_variable_that_is_empty_is_missing(variable: str) -> None:
    with pytest.raises(KeyError, match=variable):
        read(**{variable: ""})


def test_the_store_service_takes_an_empty_variable_as_not_set() -> None:
    assert StowSettings.from_environment({"STOW_HOST": "", "STOW_PORT": ""}) == StowSettings()


def test_a_text_that_is_no_number_is_named_with_its_variable() -> None:
    with pytest.raises(ValueError, match="IN_MEMORY_BYTES is '16M', not a whole number"):
        read(IN_MEMORY_BYTES="16M")
    with pytest.raises(ValueError, match="STOW_IDLE_TIMEOUT_SECONDS is 'long', not a number"):
        StowSettings.from_environment({"STOW_IDLE_TIMEOUT_SECONDS": "long"})


def test_a_function_without_the_masters_secret_migrates_nothing() -> None:
    with pytest.raises(ServiceFaultError, match="DATABASE_MASTER_SECRET_ID is not set"):
        _ = Services(read()).migration
