"""The copy of Admin's catalogue."""
