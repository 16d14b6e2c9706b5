"""Compares the Client's copy with the catalogue by content, and repairs it."""
