from localstack.configuration import Configuration
from localstack.deployment.chalice_deploy import stage_configuration


def test_the_committed_configuration_keeps_its_settings_and_gains_the_addresses():
    committed = {
        "version": "2.0",
        "app_name": "archive",
        "lambda_memory_size": 1769,
        "stages": {
            "local": {
                "api_gateway_stage": "api",
                "environment_variables": {"A": "1"},
                "lambda_functions": {"convert": {"lambda_timeout": 300, "reserved_concurrency": 5}},
            },
            "prod": {"manage_iam_role": False},
        },
    }
    configuration = Configuration.from_environment({"FUNCTION_TIMEOUT_SECONDS": "60"})

    assert stage_configuration(committed, configuration, {"LANDING_BUCKET": "landing"}) == {
        "version": "2.0",
        "app_name": "archive",
        "lambda_memory_size": 1769,
        "stages": {
            "local": {
                "api_gateway_stage": "api",
                "environment_variables": {"A": "1", "LANDING_BUCKET": "landing"},
                "lambda_functions": {"convert": {"lambda_timeout": 60, "reserved_concurrency": 5}},
            }
        },
    }
