"""Joins the routing module and its CloudFront adapter to the single file of a CloudFront Function."""

import re

from edge.sources import edge_source

# "Maximum size of a function", CloudFront quotas.
MAX_FUNCTION_BYTES = 10 * 1024

_BLOCK_COMMENT = re.compile(r"^ */\*\*.*?\*/\n", re.DOTALL | re.MULTILINE)
_LINE_COMMENT = re.compile(r"^ *//.*\n", re.MULTILINE)
_MAX_AGE = re.compile(r"'Access-Control-Max-Age': '\d+'")
_INDENTATION = re.compile(r"^ +", re.MULTILINE)


def cloudfront_function_source(preflight_ttl_seconds: int | None = None) -> str:
    """Return the source of the function, without comments and indentation, because its size is limited.

    Parameters
    ----------
    preflight_ttl_seconds
        How long browsers cache the answer to a preflight request; by default as long as route.js says.

    Raises
    ------
    ValueError
        If the function is too large for CloudFront, or route.js does not have exactly one Access-Control-Max-Age.
    """
    route = edge_source("route.js").replace("export default route;\n", "")
    if preflight_ttl_seconds is not None:
        route, replaced = _MAX_AGE.subn(f"'Access-Control-Max-Age': '{preflight_ttl_seconds}'", route)
        if replaced != 1:
            raise ValueError("route.js does not have exactly one Access-Control-Max-Age")
    adapter = edge_source("cloudfront_adapter.js").replace("import route from 'route.js';\n", "")
    cloudfront_import = "import cf from 'cloudfront';\n"
    # The import has to be the first statement.
    source = cloudfront_import + _without_comments(route + adapter.replace(cloudfront_import, ""))
    if len(source.encode()) > MAX_FUNCTION_BYTES:
        raise ValueError(f"The function has {len(source.encode())} bytes; CloudFront accepts {MAX_FUNCTION_BYTES}")
    return source


def _without_comments(source: str) -> str:
    # Only comments that fill whole lines, so comments need not be told from strings and expressions.
    without = _LINE_COMMENT.sub("", _BLOCK_COMMENT.sub("", source))
    # A line break has no meaning after these characters, nor before another line break.
    return re.sub(r"(?<=[;{,(])\n+|\n(?=\n)", "", _INDENTATION.sub("", without))
