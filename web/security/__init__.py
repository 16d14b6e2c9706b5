"""Signatures, tokens, passwords, sessions, rate limits and headers of both web services."""
