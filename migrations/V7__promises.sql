-- The hours to patch that were in force, since when: a changed configuration never rewrites the past.
CREATE TABLE promises (
  id                  INTEGER PRIMARY KEY,
  valid_from          INTEGER NOT NULL,
  highly_critical     INTEGER NOT NULL,
  critical            INTEGER NOT NULL,
  moderately_critical INTEGER NOT NULL,
  less_critical       INTEGER NOT NULL,
  not_critical        INTEGER NOT NULL
) STRICT;
