"""The migration of the index as a function: for CloudFormation as a custom resource, or invoked by an operator.

crhelper was read (2.0.12) and not taken: it makes clients of Lambda, EventBridge and CloudWatch Logs when it
starts, sets the process's logging up anew, waits up to two minutes in each Delete, and sends the text of any
exception to CloudFormation, where everybody who may read the stack's events can read it. What is needed of the
protocol is `_answer` ("Custom resource response objects", AWS CloudFormation User Guide).
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

# Kept free at the function's end for the answer: CloudFormation would wait an hour for one that never comes.
_ANSWER_SECONDS = 15
_ATTEMPT_SECONDS = 5

# The same for ever: a new one would make CloudFormation delete the "old" resource.
_PHYSICAL_ID = "index-schema"


class LambdaContext(Protocol):
    """What is needed of Lambda's context."""

    log_stream_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Time until the function is ended."""
        ...


class MigrationFailedError(Exception):
    """The migration failed; the log says more."""


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Apply the migration.

    An event of CloudFormation is answered where it wants, whatever happens; Delete does nothing, since
    what is stored outlives the stack. Any other event is a person's, who gets the report.

    Raises
    ------
    MigrationFailedError
        The migration that a person asked for failed.
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
    """Apply in a thread, so that a server that does not answer holds up nobody for longer than this."""
    done: list[dict[str, Any]] = []
    failed: list[str] = []

    def apply() -> None:
        try:
            done.append(asdict(http.services().migration.apply()))
        except DicomwebError as error:  # its message holds no secret
            logger.exception("migration failed")
            failed.append(error.message)
        except Exception as error:  # its text may hold anything
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
        raise ValueError("ResponseURL is no HTTP URL")
    request = urllib.request.Request(  # noqa: S310 - checked above
        url,
        data=json.dumps(answer).encode(),
        method="PUT",
        # The URL is signed for just this; urllib would name a type of its own.
        headers={"Content-Type": ""},
    )
    attempts = Retrying(
        retry=retry_if_exception_type(OSError), stop=stop_after_attempt(2), wait=wait_fixed(1), reraise=True
    )
    for attempt in attempts:
        with attempt, urllib.request.urlopen(request, timeout=_ATTEMPT_SECONDS) as response:  # noqa: S310 - as above
            response.read()
