"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# How long a machine takes to make an example says nothing about the code, least of all in the first seconds.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")
