"""Requests of the API that several modules make."""

from typing import Any

# The instance of `tests.support.builders.NAMES`.
INSTANCE = "/dicomweb/studies/1.2/series/1.2.3/instances/1.2.3.4"

# What API Gateway sends for GET /dicomweb/studies.
SEARCH_EVENT: dict[str, Any] = {
    "requestContext": {"resourcePath": "/dicomweb/studies", "httpMethod": "GET", "path": "/dicomweb/studies"},
    "multiValueQueryStringParameters": None,
    "headers": {},
    "pathParameters": {},
    "body": None,
    "isBase64Encoded": False,
    "stageVariables": None,
}
