"""The SQL of a pattern that begins with a text, and its parameters: what several tests of the index expect."""


def begins(column: str) -> str:
    """The condition on a column."""
    return f"({column} BETWEEN %s AND %s AND CONCAT({column}, '') LIKE %s ESCAPE '|')"


def bounds(text: str, like: str) -> tuple[str, str, str]:
    """Its parameters: the lowest and the highest value with this beginning, and the pattern of LIKE."""
    filled = 240 - len(text)
    return text + "\0" * filled, text + "\U0010ffff" * filled, like
