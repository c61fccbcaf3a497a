"""How hypothesis searches: the same worlds every time, so that a run says the same on any machine.

`HYPOTHESIS_PROFILE=search .venv/bin/pytest` looks for new ones.
"""

import os

from hypothesis import settings

# No deadlines: a slow or busy machine is no mistake.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
