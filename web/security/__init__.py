"""Signatures, tokens, passwords, sessions, limits and headers that both web services use."""
