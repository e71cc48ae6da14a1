-- What waits to be sent: links for one person. The link is encrypted with the installation's key and bound to its row.
CREATE TABLE notifications (
  id              INTEGER PRIMARY KEY,
  organization_id INTEGER REFERENCES organizations (id),
  user_id         INTEGER REFERENCES users (id),
  recipient       TEXT    NOT NULL,            -- an e-mail address
  kind            TEXT    NOT NULL,            -- 'invitation' or 'password_reset'
  state           TEXT    NOT NULL,            -- 'queued': there is no mail yet
  link_sealed     BLOB    NOT NULL,
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX notifications_user         ON notifications (user_id, kind);
CREATE INDEX notifications_organization ON notifications (organization_id, created_at);
CREATE INDEX notifications_by_time      ON notifications (created_at);
