"""``scripts/demo``: installs Lockstep, runs all of it, and shows changes arriving on both sides.

``main``, ``options``, ``screen``, ``state`` and ``install`` import only the standard library.
"""
