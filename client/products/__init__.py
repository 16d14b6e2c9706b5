"""The read copy of the catalogue."""
