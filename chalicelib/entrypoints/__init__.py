"""Thin entry points (HTTP routes, the queue, the migration); no other package of chalicelib imports chalice."""
