"""The console: pages for staff about the replication and the catalogue."""
