"""JSON as the archive writes it: strict, compact, in UTF-8. Pure."""

import json
from typing import Any


def dump_json(value: Any) -> bytes:
    """Encode a value as JSON. A lone surrogate, which UTF-8 cannot encode, becomes ``?``.

    Raises
    ------
    ValueError
        The value contains NaN or an infinity, which JSON cannot express.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
