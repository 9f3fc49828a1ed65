"""Limits that several parts of an archive must agree on, and the harness with them; none of them is a setting."""

FUNCTION_MEMORY_MIB = 1769
"""Memory of the functions that serve requests and convert: with it, Lambda gives them one whole vCPU."""

FUNCTION_STORAGE_MIB = 6 * 1024
"""Temporary storage of the same functions.

A landing object that does not fit into memory is read through a file, and STOW-RS accepts instances of up to 5 GiB.
"""

API_TIMEOUT_SECONDS = 29
"""The longest time that API Gateway waits for a function."""

CONVERT_TIMEOUT_SECONDS = 300

MIGRATE_TIMEOUT_SECONDS = 300
MIGRATE_MEMORY_MIB = 512

QUEUE_VISIBILITY_TIMEOUT_SECONDS = 6 * CONVERT_TIMEOUT_SECONDS
"""Lambda recommends six times the function's timeout, so that a throttled batch is not received twice."""

QUEUE_RETENTION_DAYS = 14
"""How long a message is kept, also in the dead-letter queue: SQS's maximum, since a dead letter waits for a person."""

CONVERT_ATTEMPTS = 5
"""How often a message is received before it is moved to the dead-letter queue."""

CONVERT_RETRY_SECONDS = 30
"""Delay before a failed message is retried for the first time; shorter than the queue's visibility timeout."""
