"""What every test shares: hypothesis draws the same examples everywhere and is never judged by the clock, and compiled
code goes to a folder for tests.
"""

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings

settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")

# One folder for all processes of tests, so that each kernel is compiled once, and away from the user's own. It is set
# before anything imports wengert.
_user = os.getuid() if hasattr(os, "getuid") else os.getlogin()
os.environ["WENGERT_CACHE_DIR"] = str(Path(tempfile.gettempdir(), f"wengert-test-cache-{_user}"))
