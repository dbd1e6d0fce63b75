"""What every test shares: how hard hypothesis tries, and signals as Python means them.

The root of the checkout is on the path through pyproject.toml.
"""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# Two busy cores make any deadline a coin toss; a slow rule shows in --durations instead.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# CI must not fail on a commit for an example that an earlier commit would have failed on too.
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.register_profile("deep", settings.get_profile("default"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


@pytest.fixture(autouse=True)
def _signals_as_usual() -> None:
    """ape puts up handlers of its own, on import and on connecting, for every test that shares the process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
