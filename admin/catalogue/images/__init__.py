"""Uploaded product images: verified, re-encoded, stored under their digest."""
