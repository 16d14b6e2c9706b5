"""Carry connections between network namespaces: ``python -m tools.faults.forward 127.0.0.1:5672=10.77.1.2:5672 …``.

Each argument is LISTEN=TARGET. Run inside a namespace, it lets a process that knows only 127.0.0.1 reach a server
in another one, through the cable between the two. Ends on SIGTERM.
"""

import signal
import sys
from contextlib import ExitStack

from tools.faults.proxy import Proxy


def main() -> None:
    """Forward until the process ends."""
    with ExitStack() as stack:
        for argument in sys.argv[1:]:
            (host, port), (target_host, target_port) = (part.split(":") for part in argument.split("="))
            stack.enter_context(Proxy(int(target_port), port=int(port), host=host, target_host=target_host))
        print("forwarding", flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
