//! Turns a question to a list into SQL: filters, order, page, a bounded count, and the organization
//! wall, which is raised here and nowhere else. Values are always bound; the SQL of fields and
//! sorts stands in each list's [`Source`], so nothing a caller writes becomes part of a statement.

use jiff::Timestamp;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row, params_from_iter};

use super::wall::list;
use super::{Result, search};

use crate::domain::access::Sight;
use crate::domain::listing::{COUNTED, Filter, List, Op, Page, Query, Value};
use crate::domain::site_status::Standing;

/// How a list's fields are found in the tables.
#[derive(Debug)]
pub struct Source {
    /// What can be asked.
    pub list: &'static List,
    /// The tables.
    pub from: &'static str,
    /// For sorts whose order an index of another table holds: the tables in another order, and the
    /// row's id as that index has it.
    pub drivers: &'static [(&'static str, &'static str, &'static str)],
    /// What holds for every row of it, such as not being deleted.
    pub live: &'static str,
    /// The row's id; the last key of every order.
    pub id: &'static str,
    /// What is read of each row at once; `None`: its id, by which the rest is read.
    pub columns: Option<&'static str>,
    /// Where the wall stands.
    pub wall: Wall,
    /// Each field's SQL, by name.
    pub fields: &'static [(&'static str, Column)],
    /// Each sort's keys, by name: made total by the id, and none where it is the id itself.
    pub sorts: &'static [(&'static str, &'static [&'static str])],
    /// What decides among the equals of a sort, by its name, where nothing else was asked for.
    pub ties: &'static [(&'static str, &'static str)],
    /// What `q` searches.
    pub search: &'static [&'static str],
    /// The index that finds it where all is in sight, if there is one.
    pub search_index: Option<&'static str>,
    /// What is counted over the sites in sight, and so differs by who asks.
    pub counted: &'static [Counted],
}

/// A count that stands in fields and sorts as `{name}`.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// Its placeholder, braces included.
    pub name: &'static str,
    /// For whoever sees all.
    pub all: &'static str,
    /// For the sight of organizations, added up.
    pub organization: &'static str,
    /// For the sight of one site.
    pub site: &'static str,
}

/// What the wall compares with the caller's sight.
#[derive(Debug, Clone, Copy)]
pub enum Wall {
    /// Rows belong to an organization, and to a site where the second is given.
    Owned {
        /// The organization's id.
        organization: &'static str,
        /// The site's id, where rows have one.
        site: Option<&'static str>,
    },
    /// Rows belong to the platform: whoever doesn't see all sees those that satisfy these
    /// conditions, in which `{organizations}` and `{site}` stand for what is in sight.
    Used {
        /// For the sight of organizations.
        organization: &'static str,
        /// For the sight of one site.
        site: &'static str,
    },
}

/// A field's SQL.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    /// An expression that is compared as it is.
    Plain(&'static str),
    /// A text that is compared whatever its case.
    Name(&'static str),
    /// A standing, kept by its rank.
    Standing(&'static str),
    /// A JSON list of texts.
    Members(&'static str),
    /// Ids of another table, looked up by the text there: the id's column, and the query for it up to
    /// the text's column, which stands last.
    Through(&'static str, &'static str),
    /// A time that may be absent, and the expression that an index has of it, absent ones last.
    Until(&'static str, &'static str),
    /// Words that stand for conditions; `{now}` is the current instant.
    Words(&'static [(&'static str, &'static str)]),
    /// What many rows share: found by an index where all is in sight; compared row by row where the
    /// wall or the path leaves few.
    ByIndex(&'static Column, &'static Column),
}

/// One question to a source, with all that limits it.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What was asked.
    pub query: &'a Query,
    /// What the caller can see.
    pub sight: &'a Sight,
    /// What the path names, as (expression, id).
    pub within: &'a [(&'static str, i64)],
    /// The current instant.
    pub now: Timestamp,
}

/// How the rows that have the text of a search are come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// An index tells which they are.
    Found,
    /// Rows are read in their order, and each is compared.
    Compared,
}

/// A statement and its values.
#[derive(Debug, Default)]
pub struct Statement {
    /// The SQL.
    pub sql: String,
    /// What is bound to `?1`, `?2`, …
    pub values: Vec<Sql>,
}

impl Statement {
    fn bind(&mut self, value: Sql) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }
}

/// One page of a source: ids by one statement, rows by `load`, a total counted at most to 10,000.
///
/// # Errors
/// What SQLite says.
pub fn page<T>(
    db: &Connection,
    source: &Source,
    ask: &Ask<'_>,
    mut load: impl FnMut(&Connection, i64) -> Result<Option<T>>,
) -> Result<Page<T>> {
    let ids = page_at_once(db, source, ask, |row| Ok(row.get::<_, i64>(0)?))?;
    let mut rows = Vec::with_capacity(ids.rows.len());
    for id in ids.rows {
        rows.extend(load(db, id)?);
    }
    Ok(Page {
        rows,
        total: ids.total,
        at_least: ids.at_least,
        more: ids.more,
    })
}

/// The same of a source whose columns are read at once, each row by `read`.
///
/// # Errors
/// What SQLite and `read` say.
pub fn page_at_once<T>(
    db: &Connection,
    source: &Source,
    ask: &Ask<'_>,
    mut read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Page<T>> {
    let way = way(db, source, ask)?;
    let statement = rows_of(source, ask, way);
    let mut prepared = db.prepare_cached(&statement.sql)?;
    let mut found = prepared.query(params_from_iter(&statement.values))?;
    let wanted = ask.query.per_page as usize;
    let (mut rows, mut more) = (Vec::new(), false);
    while let Some(row) = found.next()? {
        if rows.len() == wanted {
            more = true;
            break;
        }
        rows.push(read(row)?);
    }
    let offset = ask.query.offset();
    let reached = offset.saturating_add(i64::try_from(rows.len()).unwrap_or(i64::MAX));
    let counted = i64::from(COUNTED);
    // The last page tells the total by itself; any other leaves it to be counted.
    let (total, at_least) = if more || (rows.is_empty() && offset > 0) {
        let found = count(db, &count_of(source, ask, way))?;
        (found.min(counted), found > counted)
    } else {
        (reached, false)
    };
    Ok(Page {
        rows,
        total,
        at_least,
        more,
    })
}

fn count(db: &Connection, statement: &Statement) -> rusqlite::Result<i64> {
    db.prepare_cached(&statement.sql)?
        .query_row(params_from_iter(&statement.values), |row| row.get(0))
}

/// Where all is in sight and few rows have the text, an index tells them; where many have it, or the
/// wall or the path leaves few rows, these are compared.
fn way(db: &Connection, source: &Source, ask: &Ask<'_>) -> rusqlite::Result<Way> {
    match told_by_index(source, ask) {
        Some(told) if count(db, &told)? <= search::FEW => Ok(Way::Found),
        _ => Ok(Way::Compared),
    }
}

/// The statement that counts what an index tells of a search, as far as that is few.
pub fn told_by_index(source: &Source, ask: &Ask<'_>) -> Option<Statement> {
    let index = source.search_index.filter(|_| at_large(ask))?;
    let q = ask.query.q.as_ref()?;
    let mut statement = Statement::default();
    statement.sql = search::counted(index, q, |value| statement.bind(value));
    Some(statement)
}

/// The statement that finds the rows of a page, and one more to know whether there is a next.
pub fn rows_of(source: &Source, ask: &Ask<'_>, way: Way) -> Statement {
    let mut statement = Statement::default();
    let conditions = conditions(source, ask, way, &mut statement);
    let (from, id) = tables(source, ask, way);
    let order = order(source, ask, id);
    let limit = statement.bind(Sql::Integer(i64::from(ask.query.per_page) + 1));
    let offset = statement.bind(Sql::Integer(ask.query.offset()));
    let columns = source.columns.unwrap_or(id);
    let sql = format!(
        "SELECT {columns} FROM {from} WHERE {conditions} ORDER BY {order} LIMIT {limit} OFFSET {offset}"
    );
    statement.sql = placed(sql, source, ask, &mut statement);
    statement
}

/// The statement that counts, one row beyond what is told exactly.
pub fn count_of(source: &Source, ask: &Ask<'_>, way: Way) -> Statement {
    let mut statement = Statement::default();
    let conditions = conditions(source, ask, way, &mut statement);
    let limit = statement.bind(Sql::Integer(i64::from(COUNTED) + 1));
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM {} WHERE {conditions} LIMIT {limit})",
        source.from
    );
    statement.sql = placed(sql, source, ask, &mut statement);
    statement
}

/// The tables, and the row's id, as the first sort wants them where nothing narrower finds the rows.
fn tables(source: &Source, ask: &Ask<'_>, way: Way) -> (&'static str, &'static str) {
    let first = ask.query.sorts.first().map_or("", |sort| sort.key);
    let in_order = at_large(ask) && way == Way::Compared;
    source
        .drivers
        .iter()
        .find(|(sort, ..)| in_order && *sort == first)
        .map_or((source.from, source.id), |(_, from, id)| (from, id))
}

/// All is in sight and asked for: neither the wall, nor the path, nor a filter by an organization or
/// a site leaves a part of it.
fn at_large(ask: &Ask<'_>) -> bool {
    let apart = ask.query.filters.iter().any(|filter| {
        filter.op == Op::Eq && matches!(filter.field.name, "organization_id" | "site_id")
    });
    ask.sight.organizations().is_none() && ask.within.is_empty() && !apart
}

fn order(source: &Source, ask: &Ask<'_>, id: &str) -> String {
    let mut keys: Vec<String> = Vec::new();
    let mut last = "ASC";
    let mut tie = None;
    for sort in &ask.query.sorts {
        last = if sort.descending { "DESC" } else { "ASC" };
        let sql = source
            .sorts
            .iter()
            .find(|(name, _)| *name == sort.key)
            .map_or([].as_slice(), |(_, keys)| keys);
        keys.extend(sql.iter().map(|key| format!("{key} {last}")));
        tie = source.ties.iter().find(|(name, _)| *name == sort.key);
        if sql.is_empty() {
            // By the id no two rows are equal.
            break;
        }
    }
    keys.extend(tie.map(|(_, key)| format!("{key} {last}")));
    keys.push(format!("{id} {last}"));
    keys.join(", ")
}

fn conditions(source: &Source, ask: &Ask<'_>, way: Way, statement: &mut Statement) -> String {
    let mut all = vec![source.live.to_owned()];
    for (expression, id) in ask.within {
        let id = statement.bind(Sql::Integer(*id));
        all.push(format!("{expression} = {id}"));
    }
    // What the path names is narrower than the wall.
    all.extend(wall(source.wall, ask.sight, !ask.within.is_empty()));
    for filter in &ask.query.filters {
        let column = source
            .fields
            .iter()
            .find(|(name, _)| *name == filter.field.name);
        if let Some((_, column)) = column {
            all.push(condition(*column, filter, at_large(ask), statement));
        }
    }
    if let Some(q) = &ask.query.q {
        let bind = |value| statement.bind(value);
        all.push(match source.search_index.filter(|_| way == Way::Found) {
            Some(index) => search::found(source.id, index, q, bind),
            None => search::compared(source.search, q, bind),
        });
    }
    all.join(" AND ")
}

/// The organization wall. A plus before a column keeps SQLite from looking for rows by it.
fn wall(wall: Wall, sight: &Sight, passed_over: bool) -> Vec<String> {
    let plus = if passed_over { "+" } else { "" };
    let (organization, site) = (sight.organizations(), sight.site());
    match wall {
        Wall::Owned {
            organization: owner,
            site: of_site,
        } => {
            let mut all = Vec::new();
            if organization.is_some() {
                all.push(format!("{plus}{owner} IN {{organizations}}"));
            }
            if let (Some(_), Some(of_site)) = (site, of_site) {
                all.push(format!("{plus}{of_site} = {{site}}"));
            }
            all
        }
        Wall::Used {
            organization: by_organization,
            site: by_site,
        } => match (organization, site) {
            (_, Some(_)) => vec![by_site.to_owned()],
            (Some(_), None) => vec![by_organization.to_owned()],
            (None, None) => Vec::new(),
        },
    }
}

/// Puts what is in sight, and the current instant, where their placeholders stand.
fn placed(mut sql: String, source: &Source, ask: &Ask<'_>, statement: &mut Statement) -> String {
    let (organization, site) = (ask.sight.organizations(), ask.sight.site());
    for counted in source.counted {
        let by_sight = match (organization, site) {
            (_, Some(_)) => counted.site,
            (Some(_), None) => counted.organization,
            (None, None) => counted.all,
        };
        sql = sql.replace(counted.name, by_sight);
    }
    let now = ask.now.as_millisecond();
    for (name, value) in [("{site}", site), ("{now}", Some(now))] {
        if let Some(value) = value.filter(|_| sql.contains(name)) {
            let bound = statement.bind(Sql::Integer(value));
            sql = sql.replace(name, &bound);
        }
    }
    if let Some(mine) = organization.filter(|_| sql.contains("{organizations}")) {
        // One is compared like any value, so that an index gives its rows in order.
        let set = match mine {
            [only] => format!("({})", statement.bind(Sql::Integer(*only))),
            several => {
                let several = statement.bind(Sql::Text(list(several)));
                format!("(SELECT value FROM json_each({several}))")
            }
        };
        sql = sql.replace("{organizations}", &set);
    }
    sql
}

fn condition(column: Column, filter: &Filter, at_large: bool, statement: &mut Statement) -> String {
    let mut each: Vec<String> = filter
        .values
        .iter()
        .map(|value| holds_for(column, filter.op, value, at_large, statement))
        .collect();
    if let [single] = each.as_mut_slice() {
        return std::mem::take(single);
    }
    format!("({})", each.join(" OR "))
}

fn holds_for(
    column: Column,
    op: Op,
    value: &Value,
    at_large: bool,
    statement: &mut Statement,
) -> String {
    match column {
        Column::Plain(sql) => compared(sql, "", op, value, statement),
        Column::Name(sql) => compared(sql, " COLLATE NOCASE", op, value, statement),
        Column::Standing(sql) => compared(sql, "", op, &rank(value), statement),
        Column::Through(id, query) => through(id, query, op, value, statement),
        Column::Members(sql) => member(sql, op, value, statement),
        Column::Until(sql, indexed) => until(sql, indexed, op, value, statement),
        Column::Words(words) => word(words, op, value),
        Column::ByIndex(found, compared) => {
            let column = if at_large { found } else { compared };
            holds_for(*column, op, value, at_large, statement)
        }
    }
}

fn rank(value: &Value) -> Value {
    match value {
        Value::Word(word) => Value::Integer(Standing::from_word(word).map_or(-1, Standing::rank)),
        other => other.clone(),
    }
}

fn compared(
    sql: &str,
    collation: &str,
    op: Op,
    value: &Value,
    statement: &mut Statement,
) -> String {
    if let Value::Time { from, until } = value {
        let (from, until) = (*from, *until);
        let mut bind = |at: i64| statement.bind(Sql::Integer(at));
        return match op {
            Op::Lt => format!("{sql} < {}", bind(from)),
            Op::Lte => format!("{sql} < {}", bind(until)),
            Op::Gt => format!("{sql} >= {}", bind(until)),
            Op::Gte => format!("{sql} >= {}", bind(from)),
            Op::Ne => format!(
                "({sql} IS NULL OR {sql} < {} OR {sql} >= {})",
                bind(from),
                bind(until)
            ),
            _ => format!("({sql} >= {} AND {sql} < {})", bind(from), bind(until)),
        };
    }
    if op == Op::Null {
        let absent = *value == Value::Word("true");
        return format!("{sql} IS {}NULL", if absent { "" } else { "NOT " });
    }
    let (plain, text) = match value {
        Value::Integer(number) => (Sql::Integer(*number), String::new()),
        Value::Text(text) => (Sql::Text(text.clone()), text.clone()),
        Value::Word("true") => (Sql::Integer(1), String::new()),
        Value::Word("false") => (Sql::Integer(0), String::new()),
        Value::Word(word) => (Sql::Text((*word).to_owned()), (*word).to_owned()),
        Value::Time { .. } => (Sql::Null, String::new()),
    };
    match op {
        Op::Ne => format!("{sql} IS NOT {}{collation}", statement.bind(plain)),
        Op::Lt => format!("{sql} < {}", statement.bind(plain)),
        Op::Lte => format!("{sql} <= {}", statement.bind(plain)),
        Op::Gt => format!("{sql} > {}", statement.bind(plain)),
        Op::Gte => format!("{sql} >= {}", statement.bind(plain)),
        Op::Contains => search::holds(sql, &text, |value| statement.bind(value)),
        Op::StartsWith => search::begins(sql, &text, |value| statement.bind(value)),
        Op::Eq | Op::In | Op::Null => format!("{sql} = {}{collation}", statement.bind(plain)),
    }
}

/// What is before an instant is found by the index; the plain column decides.
fn until(sql: &str, indexed: &str, op: Op, value: &Value, statement: &mut Statement) -> String {
    let plain = compared(sql, "", op, value, statement);
    if matches!(op, Op::Eq | Op::Lt | Op::Lte) {
        let found = compared(indexed, "", op, value, statement);
        format!("({plain} AND unlikely({found}))")
    } else {
        plain
    }
}

fn through(id: &str, query: &str, op: Op, value: &Value, statement: &mut Statement) -> String {
    // What isn't equal is what isn't among the equal ones.
    let (not, op) = if op == Op::Ne {
        ("NOT ", Op::Eq)
    } else {
        ("", op)
    };
    let (query, column) = query.rsplit_once(' ').unwrap_or((query, ""));
    let condition = compared(column, "", op, value, statement);
    format!("{id} {not}IN ({query} {condition})")
}

fn member(sql: &str, op: Op, value: &Value, statement: &mut Statement) -> String {
    let Value::Text(text) = value else {
        return "0".to_owned();
    };
    let inner = if op == Op::Contains {
        search::holds("value", text, |value| statement.bind(value))
    } else {
        format!(
            "value = {} COLLATE NOCASE",
            statement.bind(Sql::Text(text.clone()))
        )
    };
    let not = if op == Op::Ne { "NOT " } else { "" };
    format!("{not}EXISTS (SELECT 1 FROM json_each({sql}) WHERE {inner})")
}

fn word(words: &[(&str, &str)], op: Op, value: &Value) -> String {
    let Value::Word(wanted) = value else {
        return "0".to_owned();
    };
    let condition = words
        .iter()
        .find(|(word, _)| word == wanted)
        .map_or("0", |(_, condition)| condition);
    if op == Op::Ne {
        format!("NOT ifnull({condition}, 0)")
    } else {
        format!("({condition})")
    }
}
