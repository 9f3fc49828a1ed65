"""The Chalice application: declares the functions for the API, for conversion and for migration; contains no logic."""

import os
from typing import Any

from chalice.app import Chalice, SQSEvent

from chalicelib.entrypoints import http
from chalicelib.entrypoints.representation_routes import representation_routes
from chalicelib.entrypoints.request_log import log_request
from chalicelib.entrypoints.search_routes import search_routes
from chalicelib.json_logging import configure_logging
from chalicelib.settings import archive_name, landing_queue_name

configure_logging(archive_name(os.environ))
app = Chalice(app_name="static-dicomweb", configure_logs=False)
app.api.binary_types = ["*/*"]
app.register_middleware(http.name_request, "all")
app.register_middleware(log_request, "http")
app.register_middleware(http.accept_by_default, "http")
app.register_blueprint(search_routes)
app.register_blueprint(representation_routes)


@app.on_sqs_message(
    queue=landing_queue_name(os.environ), batch_size=10, maximum_batching_window_in_seconds=0, name="convert"
)
def convert(event: SQSEvent) -> None:
    """Convert and publish the landing objects that the S3 events name."""
    from chalicelib.entrypoints import landing_queue

    landing_queue.handle(event)


@app.lambda_function(name="migrate")
def migrate(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Bring the schema and the user of the index up to date, for CloudFormation or an operator."""
    from chalicelib.entrypoints import schema_migration

    return schema_migration.handle(event, context)
