-- Who may do what: organizations (the wall), people, sign-ins, keys, and the record of what they did.
-- All times are INTEGER milliseconds since 1970, UTC. created_by and updated_by name the actor:
-- 'user:7', 'key:12', 'system', 'cli'.

CREATE TABLE organizations (
  id         INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL,
  notes      TEXT    NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  created_by TEXT    NOT NULL,
  updated_by TEXT    NOT NULL,
  deleted_at INTEGER
) STRICT;
CREATE INDEX organizations_deleted ON organizations (deleted_at, id) WHERE deleted_at IS NOT NULL; -- what can be restored
-- Names are unique among what isn't deleted; also the order of the list.
CREATE UNIQUE INDEX organizations_name ON organizations (name COLLATE NOCASE) WHERE deleted_at IS NULL;

CREATE TABLE users (
  id             INTEGER PRIMARY KEY,
  email          TEXT    NOT NULL,
  name           TEXT    NOT NULL,
  password_hash  TEXT    NOT NULL,
  platform_admin INTEGER NOT NULL DEFAULT 0,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  created_by     TEXT    NOT NULL,
  updated_by     TEXT    NOT NULL,
  deleted_at     INTEGER
) STRICT;
CREATE UNIQUE INDEX users_email ON users (email COLLATE NOCASE) WHERE deleted_at IS NULL;

-- One row a sign-in. kind: 'page' (cookie) or 'api' (access token + rotating refresh token).
CREATE TABLE sessions (
  id                INTEGER PRIMARY KEY,
  user_id           INTEGER NOT NULL REFERENCES users (id),
  kind              TEXT    NOT NULL,
  secret_hash       BLOB    NOT NULL,          -- SHA-256 of the cookie, or of the refresh token now valid
  previous_hash     BLOB,                      -- the refresh token before it: sent again at once, it gets the same successor
  rotated_at        INTEGER,
  device            TEXT    NOT NULL DEFAULT '',
  address           TEXT    NOT NULL DEFAULT '',
  created_at        INTEGER NOT NULL,
  last_used_at      INTEGER NOT NULL,
  expires_at        INTEGER NOT NULL,
  ended_at          INTEGER
) STRICT;
CREATE UNIQUE INDEX sessions_secret ON sessions (secret_hash);
CREATE INDEX sessions_user ON sessions (user_id, id);

-- The one-time links: setup (first administrator). Later: invitations, password resets.
CREATE TABLE one_time_tokens (
  id          INTEGER PRIMARY KEY,
  purpose     TEXT    NOT NULL,
  secret_hash BLOB    NOT NULL UNIQUE,
  user_id     INTEGER REFERENCES users (id),
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  used_at     INTEGER
) STRICT;

-- Small facts about the installation itself, such as the key that signs access tokens (encrypted elsewhere if secret).
CREATE TABLE settings (
  name       TEXT    PRIMARY KEY,
  value      TEXT    NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_logs (
  id              INTEGER PRIMARY KEY,
  created_at      INTEGER NOT NULL,
  actor_kind      TEXT    NOT NULL,
  actor_id        INTEGER,
  actor_name      TEXT    NOT NULL,
  action          TEXT    NOT NULL,
  subject_kind    TEXT    NOT NULL,
  subject_id      INTEGER,
  organization_id INTEGER,
  site_id         INTEGER,
  status          TEXT    NOT NULL,
  data            TEXT    NOT NULL,            -- JSON {"before": .., "after": ..}, never a secret
  address         TEXT    NOT NULL DEFAULT '',
  request_id      TEXT    NOT NULL DEFAULT '',
  hash            BLOB    NOT NULL             -- SHA-256 over the row before it and this row
) STRICT;
-- Each is in the order of time. Those with by in their name hold every organization's rows.
CREATE INDEX audit_logs_by_time    ON audit_logs (created_at);
CREATE INDEX audit_logs_by_actor   ON audit_logs (actor_id, created_at) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_logs_by_action  ON audit_logs (action, created_at);
CREATE INDEX audit_logs_by_subject ON audit_logs (subject_id, created_at) WHERE subject_id IS NOT NULL;
CREATE INDEX audit_logs_by_address ON audit_logs (address, created_at);
CREATE INDEX audit_logs_organization ON audit_logs (organization_id, created_at) WHERE organization_id IS NOT NULL;
CREATE INDEX audit_logs_site         ON audit_logs (site_id, created_at) WHERE site_id IS NOT NULL;
