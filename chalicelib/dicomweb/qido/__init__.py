"""QIDO-RS: a search as values, from the query string to the body of the answer; no pydicom, no database."""
