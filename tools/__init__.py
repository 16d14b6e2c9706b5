"""What develops and tests Lockstep: servers and processes, faults, benchmarks. The product imports none of it."""
