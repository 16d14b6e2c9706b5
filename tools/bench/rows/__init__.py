"""One module per row: ``TITLE`` and ``measure(run)``, which returns its figures."""

from types import ModuleType

from tools.bench.rows import (
    accept,
    catch_up,
    change_cost,
    during_import,
    idle,
    import_file,
    likes_accepted,
    likes_forwarded,
    pages,
    reconcile,
    visible,
)

# In the order in which they run: from the smallest catalogue to the largest.
ROWS: dict[str, ModuleType] = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        idle,
        accept,
        visible,
        likes_accepted,
        likes_forwarded,
        import_file,
        during_import,
        catch_up,
        change_cost,
        pages,
        reconcile,
    )
}
