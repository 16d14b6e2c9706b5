"""What may go wrong, done on purpose to the real processes and servers, and whether anything was lost by it.

``tests/faults`` runs a short set in ``scripts/test``; ``scripts/faults`` runs everything and prints a matrix.
Nothing here is known to the product: no line of it changes for these tests.
"""
