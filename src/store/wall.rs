//! How a sight is bound in statements of their own: the organizations in sight as a JSON list, NULL
//! where all are. `(?1 IS NULL OR x.organization_id IN (SELECT value FROM json_each(?1)))` is the wall
//! in SQL. Lists have theirs from `listing`.

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, Value};

use crate::domain::access::Sight;

/// The organizations in sight, to be bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within(Option<String>);

/// Those of a sight.
pub fn within(sight: &Sight) -> Within {
    Within(sight.organizations().map(list))
}

/// The rows of counters that add up to what is in sight, as a JSON list of organizations: where all is
/// in sight those of organization 0, which are all organizations together.
pub fn counted(sight: &Sight) -> String {
    list(sight.organizations().unwrap_or(&[0]))
}

/// Ids as a JSON list.
pub fn list(ids: &[i64]) -> String {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    format!("[{}]", ids.join(","))
}

impl ToSql for Within {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match &self.0 {
            Some(ids) => ids.as_str().into(),
            None => ToSqlOutput::Owned(Value::Null),
        })
    }
}
