"""Integers of the Image Pixel and Multi-frame modules (PS3.3 §C.7.6.3, §C.7.6.6), from a data set of any content."""

from chalicelib.dicomweb.instance.part10 import Instance
from chalicelib.errors import FailureReason, InstanceRejectedError


def number_of_frames(instance: Instance) -> int:
    """NumberOfFrames; 1 if it is missing.

    Raises
    ------
    InstanceRejectedError
        It is not a number, or negative.
    """
    value = _integer(instance, "NumberOfFrames", 1)
    if value < 0:
        raise InstanceRejectedError("NumberOfFrames is negative", FailureReason.DATA_SET_DOES_NOT_MATCH_SOP_CLASS)
    return value or 1  # some devices write 0 for a single frame


def positive_integer(instance: Instance, keyword: str, default: int | None = None) -> int:
    """Value of an attribute that must be positive, e.g. Rows.

    Raises
    ------
    InstanceRejectedError
        It is not a positive number, or missing without a default.
    """
    value = _integer(instance, keyword, default)
    if value <= 0:
        raise InstanceRejectedError(f"{keyword} is not positive", FailureReason.DATA_SET_DOES_NOT_MATCH_SOP_CLASS)
    return value


def _integer(instance: Instance, keyword: str, default: int | None) -> int:
    try:
        value = instance.dataset.get(keyword)
        if value is None or value == "":
            if default is None:
                raise InstanceRejectedError(f"{keyword} is missing", FailureReason.DATA_SET_DOES_NOT_MATCH_SOP_CLASS)
            return default
        return int(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise InstanceRejectedError(f"{keyword} is not a number") from error
