"""The database: its engine, the differences between databases, migrations."""
