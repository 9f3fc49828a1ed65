"""The thin entry points (HTTP routes, the queue): the only modules that import chalice."""
