"""``scripts/bench``: Lockstep compared with the bare limits of its servers, in one run."""

import sys

from tools.bench.main import main

sys.exit(main(sys.argv[1:]))
