"""Admin's database: the engine, the differences between MySQL and SQLite, migrations."""
