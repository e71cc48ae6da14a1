-- Browsers that signed in: one row a person and browser. The cookie is kept as a hash and never taken over
-- from what another person, or nobody, left in the browser.
CREATE TABLE devices (
  id            INTEGER PRIMARY KEY,
  user_id       INTEGER NOT NULL REFERENCES users (id),
  secret_hash   BLOB    NOT NULL UNIQUE,       -- SHA-256 of the cookie
  name          TEXT    NOT NULL DEFAULT '',   -- what the browser calls itself
  address       TEXT    NOT NULL DEFAULT '',   -- of the last sign-in
  created_at    INTEGER NOT NULL,
  last_used_at  INTEGER NOT NULL,              -- the last sign-in
  trusted_until INTEGER,                       -- no second factor is asked for until then
  revoked_at    INTEGER
) STRICT;
CREATE INDEX devices_user ON devices (user_id, id);

-- The few who may do all in all.
CREATE INDEX users_administrators ON users (platform_admin) WHERE platform_admin = 1;

-- The browser of a page's session: revoking it ends the session.
ALTER TABLE sessions ADD COLUMN device_id INTEGER REFERENCES devices (id);
CREATE INDEX sessions_open ON sessions (user_id, id) WHERE ended_at IS NULL;
CREATE INDEX sessions_device ON sessions (device_id) WHERE device_id IS NOT NULL;

CREATE INDEX one_time_tokens_user ON one_time_tokens (user_id, purpose, created_at) WHERE user_id IS NOT NULL;
