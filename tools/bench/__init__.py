"""Benchmark: the cost of Lockstep, as ratios to the bare limits of its servers, measured in one run.

``rows`` holds one module per row of the table; ``bare`` what the parts can do without Lockstep.
"""
