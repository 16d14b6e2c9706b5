"""Checks of the set-up. Each finding says what is wrong and how to fix it."""
