-- The second step of a sign-in: an app's secret and backup codes.

-- One row a person who has set an app up, or is about to.
CREATE TABLE second_factors (
  user_id       INTEGER PRIMARY KEY REFERENCES users (id),
  secret_sealed BLOB    NOT NULL,              -- encrypted with the key file, bound to user_id: a copy in another row doesn't open
  enabled_at    INTEGER,                       -- NULL: no code of the app has come yet, nothing is asked at sign-in
  last_step     INTEGER NOT NULL DEFAULT 0,    -- the time step of the last code that was taken: only later ones are
  created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE backup_codes (
  id         INTEGER PRIMARY KEY,
  user_id    INTEGER NOT NULL REFERENCES users (id),
  code_hash  BLOB    NOT NULL,                 -- HMAC with the key file over user_id and the code
  created_at INTEGER NOT NULL,
  used_at    INTEGER
) STRICT;
CREATE INDEX backup_codes_user ON backup_codes (user_id, code_hash);

-- Wrong codes in a row, of a person and a browser: those that nobody knows share device_id 0.
CREATE TABLE wrong_codes (
  user_id       INTEGER NOT NULL REFERENCES users (id),
  device_id     INTEGER NOT NULL,
  wrong         INTEGER NOT NULL,
  refused_until INTEGER NOT NULL DEFAULT 0,    -- until then an app's codes are not even looked at
  PRIMARY KEY (user_id, device_id)
) STRICT, WITHOUT ROWID;

-- A challenge between the two steps (purpose 'second_factor') is void with the password that it followed,
-- and after a few wrong codes.
ALTER TABLE one_time_tokens ADD COLUMN wrong    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE one_time_tokens ADD COLUMN bound_to BLOB; -- SHA-256 of the password's hash
