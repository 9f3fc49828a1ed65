"""JSON as the archive writes it: strict, compact, in UTF-8. Pure."""

import json
from typing import Any


def dump_json(value: Any) -> bytes:
    """Encode a value; a lone surrogate, which has no UTF-8 form, becomes ``?``.

    Raises
    ------
    ValueError
        The value contains NaN or an infinity, which JSON does not have.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
