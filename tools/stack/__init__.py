"""Start, supervise and stop each process of Lockstep and each server that it needs.

Used by the demo, the tests' fixtures, the benchmark and the fault runs.
"""
