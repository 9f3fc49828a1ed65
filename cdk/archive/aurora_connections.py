"""The number of connections that the index accepts, from its configured capacity."""

from cdk.configuration.deployment import Deployment

# Default max_connections of Aurora MySQL Serverless v2 by its maximum capacity ("Maximum connections for Aurora
# Serverless v2", Aurora User Guide). With a minimum capacity of 0 or 0.5 units it is never more than 2000.
_CONNECTIONS = ((1, 90), (4, 135), (8, 1000), (16, 2000), (32, 3000), (64, 4000), (128, 5000), (192, 6000))
_SMALL_MINIMUM = (0.5, 2000)


def max_connections(deployment: Deployment) -> int:
    """Return the default ``max_connections`` of the index."""
    by_maximum = [connections for acu, connections in _CONNECTIONS if acu <= deployment.aurora_max_acu]
    small, limit = _SMALL_MINIMUM
    return min(by_maximum[-1], limit) if deployment.aurora_min_acu <= small else by_maximum[-1]
