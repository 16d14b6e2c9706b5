"""Runs the searches of the models in ``model/`` with SPIN, and proves that removing any guard is found."""
