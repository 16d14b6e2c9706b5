"""How each process of Lockstep, and each server it needs, is started, watched and ended.

One definition, used by the demo, the tests' fixtures, the benchmark and the fault runs.
"""
