"""Imports in the background: staff upload a file, and the relays import it."""
