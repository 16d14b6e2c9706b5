"""Checks of the set-up: each finding says what is wrong and how to fix it."""
