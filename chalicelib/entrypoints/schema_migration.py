"""The migration of the index as a function: a custom resource of CloudFormation, or invoked by an operator.

crhelper (2.0.12) was reviewed and is not used: it creates clients of Lambda, EventBridge and CloudWatch Logs when it
starts, configures the logging of the process again, waits up to two minutes in each Delete, and sends the text of any
exception to CloudFormation, where everybody who may read the events of the stack can read it. The part of the
protocol that the archive needs is `_answer` ("Custom resource response objects", AWS CloudFormation User Guide).
"""

import json
import logging
import threading
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from chalicelib.entrypoints import http
from chalicelib.errors import DicomwebError

logger = logging.getLogger(__name__)

# Reserved for the answer before the function's time-out: without an answer, CloudFormation waits for an hour.
_ANSWER_SECONDS = 15
_ATTEMPT_SECONDS = 5

# Never changes: after a new id CloudFormation would delete the "old" resource.
_PHYSICAL_ID = "index-schema"


class LambdaContext(Protocol):
    """The part of Lambda's context that the migration uses."""

    log_stream_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Time until Lambda stops the function."""
        ...


class MigrationFailedError(Exception):
    """The migration failed; the log has the details."""


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Apply the migration.

    CloudFormation always gets an answer, at the URL in its event. Delete does nothing, because the stored data
    outlive the stack. Any other event comes from an operator, who gets the report as the result.

    Raises
    ------
    MigrationFailedError
        The migration failed, and an operator had invoked it.
    """
    remaining_seconds = context.get_remaining_time_in_millis() / 1000 - _ANSWER_SECONDS
    if "ResponseURL" not in event:
        return _apply_within(remaining_seconds)
    answer = {
        "PhysicalResourceId": event.get("PhysicalResourceId") or _PHYSICAL_ID,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    try:
        data = {} if event["RequestType"] == "Delete" else _apply_within(remaining_seconds)
        answer |= {"Status": "SUCCESS", "Data": data}
    except MigrationFailedError as error:
        answer |= {"Status": "FAILED", "Reason": f"{error}; log stream {context.log_stream_name}"}
    _answer(str(event["ResponseURL"]), answer)
    return answer


def _apply_within(seconds: float) -> dict[str, Any]:
    """Apply in a thread, so that a server that does not answer cannot delay the answer any longer."""
    done: list[dict[str, Any]] = []
    failed: list[str] = []

    def apply() -> None:
        try:
            done.append(asdict(http.services().migration.apply()))
        except DicomwebError as error:  # its message contains no secret
            logger.exception("migration failed")
            failed.append(error.message)
        except Exception as error:  # its text may contain anything
            logger.error("migration failed unexpectedly: %s", type(error).__name__)
            failed.append(f"the migration failed ({type(error).__name__})")

    thread = threading.Thread(target=apply, name="migration", daemon=True)
    thread.start()
    thread.join(max(seconds, 0))
    if not done:
        raise MigrationFailedError(failed[0] if failed else "the migration did not end in time")
    logger.info("migration applied", extra=done[0])
    return done[0]


def _answer(url: str, answer: Mapping[str, Any]) -> None:
    if not url.startswith(("https://", "http://")):
        raise ValueError("ResponseURL is not an HTTP URL")
    request = urllib.request.Request(  # noqa: S310 - checked above
        url,
        data=json.dumps(answer).encode(),
        method="PUT",
        # The URL is signed for an empty type; urllib would set one of its own.
        headers={"Content-Type": ""},
    )
    attempts = Retrying(
        retry=retry_if_exception_type(OSError), stop=stop_after_attempt(2), wait=wait_fixed(1), reraise=True
    )
    for attempt in attempts:
        with attempt, urllib.request.urlopen(request, timeout=_ATTEMPT_SECONDS) as response:  # noqa: S310 - as above
            response.read()
