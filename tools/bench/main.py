"""The command ``scripts/bench``."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tools.bench import chart, report
from tools.bench.errors import BenchError
from tools.bench.figures import Figure
from tools.bench.rows import ROWS
from tools.bench.run import Run
from tools.bench.servers import Given, Servers
from tools.bench.sizes import FULL, QUICK, TOY
from tools.stack.errors import StackError

_SIZES = {"full": FULL, "quick": QUICK, "toy": TOY}


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write; return the exit code: 0 where all rows were measured, with any figures, else 1."""
    options = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 140)
    given = Given(options.database_url, options.mongodb_url, options.broker_url)
    selected = options.only or list(ROWS)
    try:
        if options.markdown:
            report.check(options.markdown)
        with (
            tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder,
            Servers(Path(folder) / "servers", given).running() as servers,
            Run(_SIZES[options.size], servers, Path(folder), selected) as run,
        ):
            results, failed = _measure(run, Console(stderr=True))
    except (BenchError, StackError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    report.show(results, console)
    if options.markdown and not failed:
        report.put_into(options.markdown, results, options.size)
    if options.json:
        written = report.as_json(results, options.size)
        options.json.write_text(json.dumps(written, indent=1, allow_nan=False) + "\n")
    if options.chart and (bars := report.bars(results)):
        options.chart.write_text(chart.draw(bars), encoding="utf-8")
    return int(failed)


def _measure(run: Run, console: Console) -> tuple[dict[str, list[Figure]], bool]:
    """Return the figures of the rows, and whether any row failed; the others are still measured."""
    results, failed = {}, False
    for name in ROWS:
        if name in run.selected:
            began = time.monotonic()
            console.print(f"{ROWS[name].TITLE} …", end=" ")
            try:
                results[name] = ROWS[name].measure(run)
            except Exception as error:  # of any kind: the figures of the other rows took minutes
                console.print(f"failed: {error!r}")
                failed = True
            else:
                console.print(f"{time.monotonic() - began:.0f} s")
    return results, failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measure Lockstep, compared with bare Flask views."
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="size", action="store_const", const="quick", help="under 3 minutes")
    size.add_argument("--toy", dest="size", action="store_const", const="toy", help="the smallest run")
    parser.set_defaults(size="full")
    parser.add_argument("--only", action="append", choices=list(ROWS), metavar="ROW", help=f"one of {', '.join(ROWS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything to FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="put the table between the markers in FILE")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw the CPU time of each process as an SVG")
    own = parser.add_argument_group("servers of your own (a scratch instance: see tools/bench/servers.py)")
    own.add_argument("--database-url", metavar="URL", help="mysql+pymysql://user:password@host/, may create databases")
    own.add_argument("--mongodb-url", metavar="URL", help="mongodb://host/")
    own.add_argument("--broker-url", metavar="URL", help="amqp://user:password@host/vhost, whose queues are deleted")
    return parser
