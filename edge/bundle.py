"""The routing module and its CloudFront adapter as the one file that a CloudFront Function is."""

import re

from edge.sources import edge_source

# "Maximum size of a function", CloudFront quotas.
MAX_FUNCTION_BYTES = 10 * 1024

_BLOCK_COMMENT = re.compile(r"^ */\*\*.*?\*/\n", re.DOTALL | re.MULTILINE)
_LINE_COMMENT = re.compile(r"^ *//.*\n", re.MULTILINE)
_MAX_AGE = re.compile(r"'Access-Control-Max-Age': '\d+'")
_INDENTATION = re.compile(r"^ +", re.MULTILINE)


def cloudfront_function_source(preflight_ttl_seconds: int | None = None) -> str:
    """Join both files, without comments and indentation: the size is limited.

    Parameters
    ----------
    preflight_ttl_seconds
        How long browsers keep the answer to a preflight; unless given, as long as route.js says.

    Raises
    ------
    ValueError
        If CloudFront would refuse it for its size, or route.js does not say how long a preflight is kept.
    """
    route = edge_source("route.js").replace("export default route;\n", "")
    if preflight_ttl_seconds is not None:
        route, replaced = _MAX_AGE.subn(f"'Access-Control-Max-Age': '{preflight_ttl_seconds}'", route)
        if replaced != 1:
            raise ValueError("route.js has not just one Access-Control-Max-Age")
    adapter = edge_source("cloudfront_adapter.js").replace("import route from 'route.js';\n", "")
    cloudfront_import = "import cf from 'cloudfront';\n"
    # The import has to be the first statement.
    source = cloudfront_import + _without_comments(route + adapter.replace(cloudfront_import, ""))
    if len(source.encode()) > MAX_FUNCTION_BYTES:
        raise ValueError(f"The function has {len(source.encode())} bytes; CloudFront takes {MAX_FUNCTION_BYTES}")
    return source


def _without_comments(source: str) -> str:
    # Only comments that fill their lines: nothing here has to tell a comment from a string or an expression.
    without = _LINE_COMMENT.sub("", _BLOCK_COMMENT.sub("", source))
    # Where a line goes on, or the next begins a statement of its own, its end says nothing.
    return re.sub(r"(?<=[;{,(])\n+|\n(?=\n)", "", _INDENTATION.sub("", without))
