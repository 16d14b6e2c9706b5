"""``scripts/bench``: Lockstep compared with bare Flask views, in one run."""

import sys

from tools.bench.main import main

sys.exit(main(sys.argv[1:]))
