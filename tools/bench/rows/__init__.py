"""One module per section of the table: ``TITLE`` and ``measure(run)``, which returns its figures."""

from types import ModuleType

from tools.bench.rows import backlog, batches, creates, during_import, idle, import_file, likes, shop, singles, start

# In the order in which they run: from the smallest catalogue to the largest.
ROWS: dict[str, ModuleType] = {
    module.__name__.rpartition(".")[2]: module
    for module in (start, idle, creates, singles, backlog, likes, shop, import_file, during_import, batches)
}
