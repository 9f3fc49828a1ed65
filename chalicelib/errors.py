"""All errors of the archive, in one tree; each carries the HTTP status of the response.

::

    DicomwebError                        500
    ├── BadRequestError                  400  the request is wrong, and the message says where
    │   ├── InvalidUidError              400
    │   ├── InvalidQueryError            400
    │   └── MalformedMultipartError      400
    ├── NotFoundError                    404
    ├── NotAcceptableError               406
    ├── ContentTooLargeError             413
    │   └── SearchTooBroadError          413
    ├── UnsupportedMediaTypeError        415
    ├── InstanceRejectedError            409  this instance can never be stored; DICOM's failure reason says why
    ├── NotImplementedResourceError      501  the standard defines this resource, the archive does not support it
    └── ServiceFaultError                503  a service failed; a retry may succeed
        └── PreconditionFailedError      503  another process wrote first

Messages are for the client: they never contain unescaped input, SQL, a stack trace or patient data.
"""

from enum import IntEnum


class FailureReason(IntEnum):
    """Failure Reason (0008,1197) of a STOW-RS response, PS3.18 Table I.2-2."""

    PROCESSING_FAILURE = 0x0110
    DUPLICATE_SOP_INSTANCE = 0x0111
    SOP_CLASS_NOT_SUPPORTED = 0x0122
    OUT_OF_RESOURCES = 0xA700
    DATA_SET_DOES_NOT_MATCH_SOP_CLASS = 0xA900
    CANNOT_UNDERSTAND = 0xC000


class DicomwebError(Exception):
    """Base of all errors that a client may see.

    Parameters
    ----------
    message
        One sentence for the client.
    """

    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadRequestError(DicomwebError):
    """The request is wrong."""

    status = 400


class InvalidUidError(BadRequestError):
    """A text is not a valid DICOM UID (PS3.5 §9.1)."""


class InvalidQueryError(BadRequestError):
    """A search cannot be understood."""


class MalformedMultipartError(BadRequestError):
    """A multipart body breaks RFC 2046, or ends before its closing boundary."""


class NotFoundError(DicomwebError):
    """The resource does not exist."""

    status = 404


class NotAcceptableError(DicomwebError):
    """No acceptable media type can be produced."""

    status = 406


class ContentTooLargeError(DicomwebError):
    """The request is over a configured limit."""

    status = 413


class SearchTooBroadError(ContentTooLargeError):
    """A search matches more than the archive can return (PS3.18 §10.6.3.1)."""


class UnsupportedMediaTypeError(DicomwebError):
    """The payload's media type is not supported."""

    status = 415


class InstanceRejectedError(DicomwebError):
    """The bytes of one instance can never be published; a retry cannot succeed.

    Parameters
    ----------
    message
        One sentence for the client and the operator.
    failure_reason
        The code that a STOW-RS response reports.
    """

    status = 409

    def __init__(self, message: str, failure_reason: FailureReason = FailureReason.CANNOT_UNDERSTAND) -> None:
        super().__init__(message)
        self.failure_reason = failure_reason


class NotImplementedResourceError(DicomwebError):
    """The standard defines the resource, and the archive does not support it."""

    status = 501


class ServiceFaultError(DicomwebError):
    """A service behind the archive failed; the same request may succeed later."""

    status = 503


class PreconditionFailedError(ServiceFaultError):
    """A conditional write found that another process had written first."""
