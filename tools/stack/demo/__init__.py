"""``scripts/demo``: installs Lockstep, runs all of it, and does the main job in front of the user.

``main``, ``options``, ``screen``, ``state`` and ``install`` run on a bare Python: no packages there.
"""
