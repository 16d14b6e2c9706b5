"""``scripts/bench``: Lockstep beside the bare limits, in one run."""

import sys

from tools.bench.main import main

sys.exit(main(sys.argv[1:]))
