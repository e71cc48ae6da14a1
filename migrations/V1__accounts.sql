-- Who may do what: organizations (the wall), people, sign-ins, keys, and the record of what they did.
-- All times are INTEGER milliseconds since 1970, UTC. created_by and updated_by name the actor:
-- 'user:7', 'key:12', 'system', 'cli'.

CREATE TABLE organizations (
  id         INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL,
  notes      TEXT    NOT NULL DEFAULT '',
  second_factor_from INTEGER,                  -- from then on its members need a second factor; NULL: they don't
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
  password_hash  TEXT,                         -- PHC string; NULL: invited, and nobody has taken the invitation yet
  platform_admin INTEGER NOT NULL DEFAULT 0,
  time_zone      TEXT    NOT NULL DEFAULT 'UTC', -- IANA name
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  created_by     TEXT    NOT NULL,
  updated_by     TEXT    NOT NULL,
  deleted_at     INTEGER
) STRICT;
-- Whoever has a password has his address alone. An invitation is a person to be: it says nothing about
-- whether somebody of that address is known already.
CREATE UNIQUE INDEX users_email ON users (email COLLATE NOCASE) WHERE deleted_at IS NULL AND password_hash IS NOT NULL;
CREATE INDEX users_invited ON users (email COLLATE NOCASE) WHERE deleted_at IS NULL AND password_hash IS NULL;
CREATE INDEX users_deleted ON users (deleted_at, id) WHERE deleted_at IS NOT NULL;

-- What may be done, one row a word: the same as the code's.
CREATE TABLE permissions (
  name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Sets of permissions. organization_id NULL: for every organization. The built-in ones are not changed by anybody.
CREATE TABLE roles (
  id              INTEGER PRIMARY KEY,
  organization_id INTEGER REFERENCES organizations (id),
  name            TEXT    NOT NULL,
  description     TEXT    NOT NULL DEFAULT '',
  built_in        INTEGER NOT NULL DEFAULT 0,
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL,
  created_by      TEXT    NOT NULL,
  updated_by      TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX roles_name ON roles (coalesce(organization_id, 0), name COLLATE NOCASE);

CREATE TABLE role_permissions (
  role_id    INTEGER NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
  permission TEXT    NOT NULL REFERENCES permissions (name),
  PRIMARY KEY (role_id, permission)
) STRICT, WITHOUT ROWID;

-- Who belongs to which organization, as what.
CREATE TABLE memberships (
  organization_id INTEGER NOT NULL REFERENCES organizations (id),
  user_id         INTEGER NOT NULL REFERENCES users (id),
  role_id         INTEGER NOT NULL REFERENCES roles (id),
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL,
  created_by      TEXT    NOT NULL,
  updated_by      TEXT    NOT NULL,
  PRIMARY KEY (organization_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_user ON memberships (user_id, organization_id);
CREATE INDEX memberships_role ON memberships (role_id);

INSERT INTO permissions (name) VALUES
  ('sync'), ('organizations:read'), ('organizations:manage'), ('sites:read'), ('sites:write'), ('sites:delete'),
  ('modules:read'), ('modules:write'), ('reports:read'), ('reports:export'), ('users:manage'), ('roles:manage'),
  ('api_keys:manage'), ('notifications:manage'), ('audit:read'), ('jobs:read'), ('jobs:manage'), ('settings:manage');
INSERT INTO roles (id, name, description, built_in, created_at, updated_at, created_by, updated_by) VALUES
  (1, 'admin',   'Everything in the organization, its people too', 1, 0, 0, 'system', 'system'),
  (2, 'manager', 'Looks after sites, their keys and reports',      1, 0, 0, 'system', 'system'),
  (3, 'viewer',  'Sees sites and reports, changes nothing',        1, 0, 0, 'system', 'system');
INSERT INTO role_permissions (role_id, permission) SELECT 1, name FROM permissions;
INSERT INTO role_permissions (role_id, permission) SELECT 2, name FROM permissions
  WHERE name IN ('sync', 'organizations:read', 'sites:read', 'sites:write', 'sites:delete', 'modules:read', 'modules:write',
                 'reports:read', 'reports:export', 'api_keys:manage', 'jobs:read');
INSERT INTO role_permissions (role_id, permission) SELECT 3, name FROM permissions
  WHERE name IN ('organizations:read', 'sites:read', 'modules:read', 'reports:read');

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

-- The one-time links: setup (first administrator), invitations, password resets, and challenges between two steps.
CREATE TABLE one_time_tokens (
  id          INTEGER PRIMARY KEY,
  purpose     TEXT    NOT NULL,
  secret_hash BLOB    NOT NULL UNIQUE,
  user_id     INTEGER REFERENCES users (id),
  made_by     TEXT,                            -- of an invitation, who answers for what it gives: he must hold it when it is taken
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
