"""What holds for all tests."""

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

# aws-cdk-lib starts the node that it finds: that of the virtual environment, where the system has none.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

# How long a machine takes to make an example says nothing about the code, least of all in the first seconds.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")
