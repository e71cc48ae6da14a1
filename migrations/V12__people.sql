-- The orders in which people are listed.
CREATE INDEX users_by_name  ON users (name COLLATE NOCASE)  WHERE deleted_at IS NULL;
CREATE INDEX users_by_email ON users (email COLLATE NOCASE) WHERE deleted_at IS NULL;
