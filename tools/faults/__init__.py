"""Fault injection: break real processes and servers under load, and check that no accepted write is lost.

``scripts/test`` runs the short set in ``tests/faults``; ``scripts/faults`` runs all faults and prints a matrix. The
product has no code for it.
"""
