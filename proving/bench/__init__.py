"""How fast the path from meter to database is, measured on private servers."""
