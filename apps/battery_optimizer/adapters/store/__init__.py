"""What must not be forgotten, in one SQLite file."""
