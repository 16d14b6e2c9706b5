"""Benchmark: what Lockstep costs, in CPU time and as ratios to bare Flask views, measured in one run.

``rows`` holds one module per section of the table; ``bare`` what the parts cost without Lockstep.
"""
