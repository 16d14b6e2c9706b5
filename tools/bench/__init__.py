"""What Lockstep costs, as ratios against the bare limits of the servers it runs on, measured in one run.

``rows`` holds one module per row of the table; ``bare`` what the parts can do without Lockstep.
"""
