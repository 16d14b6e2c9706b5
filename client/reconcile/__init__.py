"""Comparing the copy with Admin's catalogue, mending it, building it anew. Only Admin asks."""
