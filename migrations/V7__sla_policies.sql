-- What is promised, since when. Versions are only added. organization_id NULL: what holds where an organization has none of its own.
CREATE TABLE sla_policies (
  id              INTEGER PRIMARY KEY,
  organization_id INTEGER REFERENCES organizations (id),
  valid_from      INTEGER NOT NULL,
  terms           TEXT    NOT NULL,             -- JSON {"production":{"calendar":"calendar","hours":{...}},"staging":...,"development":...}
  time_zone       TEXT    NOT NULL DEFAULT 'UTC',
  holidays        TEXT    NOT NULL DEFAULT '[]', -- JSON list of dates, sorted
  created_at      INTEGER NOT NULL,
  created_by      TEXT    NOT NULL
) STRICT;
CREATE INDEX sla_policies_in_force ON sla_policies (ifnull(organization_id, 0), valid_from, id);
-- Of the configuration that says nothing about it; one that says otherwise adds its own.
INSERT INTO sla_policies (valid_from, terms, created_at, created_by) VALUES (0, '{"production":{"calendar":"calendar","hours":{"highly_critical":24,"critical":72,"moderately_critical":168,"less_critical":336,"not_critical":720}},"staging":{"calendar":"calendar","hours":{"highly_critical":24,"critical":72,"moderately_critical":168,"less_critical":336,"not_critical":720}},"development":{"calendar":"calendar","hours":{"highly_critical":24,"critical":72,"moderately_critical":168,"less_critical":336,"not_critical":720}}}', 0, 'system');
