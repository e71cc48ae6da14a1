//! Lists whose rows are all at hand, a few hundred at most: the same questions as to the store's lists,
//! answered in memory. Knows no SQL and means the same by each operator as the store does.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::fold::fold;
use super::listing::{COUNTED, Filter, Op, Page, Query, Value};

/// What a row holds in a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Nothing,
    /// A whole number.
    Integer(i64),
    /// An instant.
    Time(Timestamp),
    /// A text or a word.
    Text(&'a str),
    /// Yes or no.
    Boolean(bool),
}

impl<'a> Cell<'a> {
    /// The value, or nothing.
    pub fn of(value: Option<Cell<'a>>) -> Self {
        value.unwrap_or(Cell::Nothing)
    }

    /// The order of the store: nothing comes before anything.
    fn order(self, other: Cell<'_>) -> Ordering {
        match (self, other) {
            (Cell::Integer(a), Cell::Integer(b)) => a.cmp(&b),
            (Cell::Time(a), Cell::Time(b)) => a.cmp(&b),
            (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
            (Cell::Boolean(a), Cell::Boolean(b)) => a.cmp(&b),
            (Cell::Nothing, Cell::Nothing) => Ordering::Equal,
            (Cell::Nothing, _) => Ordering::Less,
            (_, Cell::Nothing) => Ordering::Greater,
            _ => Ordering::Equal,
        }
    }
}

/// A row that can be asked.
pub trait Row {
    /// What it holds in the list's field or sort of that name.
    fn cell(&self, field: &str) -> Cell<'_>;
}

/// One page of the rows; they come in the list's own order.
pub fn page<T: Row>(rows: Vec<T>, query: &Query) -> Page<T> {
    let mut rows: Vec<T> = rows
        .into_iter()
        .filter(|row| query.filters.iter().all(|filter| keeps(filter, row)))
        .collect();
    rows.sort_by(|a, b| {
        query
            .sorts
            .iter()
            .map(|sort| {
                let order = a.cell(sort.key).order(b.cell(sort.key));
                if sort.descending {
                    order.reverse()
                } else {
                    order
                }
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let offset = usize::try_from(query.offset()).unwrap_or(usize::MAX);
    let wanted = query.per_page as usize;
    Page {
        more: rows.len() > offset.saturating_add(wanted),
        rows: rows.into_iter().skip(offset).take(wanted).collect(),
        total: total.min(i64::from(COUNTED)),
        at_least: total > i64::from(COUNTED),
    }
}

fn keeps(filter: &Filter, row: &impl Row) -> bool {
    let cell = row.cell(filter.field.name);
    filter
        .values
        .iter()
        .any(|value| holds(cell, filter.op, value))
}

fn holds(cell: Cell<'_>, op: Op, value: &Value) -> bool {
    if op == Op::Null {
        return (cell == Cell::Nothing) == (*value == Value::Word("true"));
    }
    if cell == Cell::Nothing {
        return op == Op::Ne;
    }
    match (cell, value) {
        (Cell::Time(at), Value::Time { from, until }) => {
            let at = at.as_millisecond();
            let within = at >= *from && at < *until;
            match op {
                Op::Lt => at < *from,
                Op::Lte => at < *until,
                Op::Gt => at >= *until,
                Op::Gte => at >= *from,
                Op::Ne => !within,
                _ => within,
            }
        }
        (Cell::Integer(number), Value::Integer(other)) => ordered(number.cmp(other), op),
        (Cell::Boolean(yes), Value::Word(word)) => ((*word == "true") == yes) != (op == Op::Ne),
        (Cell::Text(text), Value::Word(word)) => (text == *word) != (op == Op::Ne),
        (Cell::Text(text), Value::Text(other)) => match op {
            Op::Contains => fold(text).contains(&fold(other)),
            Op::StartsWith => fold(text).starts_with(&fold(other)),
            _ => (text == other) != (op == Op::Ne),
        },
        _ => false,
    }
}

fn ordered(order: Ordering, op: Op) -> bool {
    match op {
        Op::Ne => order.is_ne(),
        Op::Lt => order.is_lt(),
        Op::Lte => order.is_le(),
        Op::Gt => order.is_gt(),
        Op::Gte => order.is_ge(),
        _ => order.is_eq(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::listing::{Field, Kind, List};
    use super::*;

    struct Fruit(&'static str, i64, Option<bool>);

    impl Row for Fruit {
        fn cell(&self, field: &str) -> Cell<'_> {
            match field {
                "name" => Cell::Text(self.0),
                "picked" => Cell::Time(Timestamp::from_second(self.1 * 86_400).unwrap()),
                "weight" => Cell::Integer(self.1),
                _ => Cell::of(self.2.map(Cell::Boolean)),
            }
        }
    }

    static FRUITS: List = List {
        name: "fruits",
        fields: &[
            Field::new("name", Kind::Text),
            Field::new("picked", Kind::Time),
            Field::new("weight", Kind::Integer),
            Field::optional("ripe", Kind::Boolean),
        ],
        sorts: &["weight", "name"],
        default_sort: "weight",
        search: false,
        columns: &[],
    };

    fn asked(pairs: &[(&str, &str)]) -> String {
        let basket = vec![
            Fruit("Apple", 3, Some(true)),
            Fruit("Banana", 1, Some(false)),
            Fruit("apricot", 2, None),
        ];
        let query = Query::parse(&FRUITS, pairs.iter().copied()).unwrap();
        let found = page(basket, &query);
        let names: Vec<&str> = found.rows.iter().map(|fruit| fruit.0).collect();
        format!("{} of {}", names.join(" "), found.total)
    }

    #[test]
    fn every_operator_means_what_it_means_in_the_store() {
        for (name, value, right) in [
            ("filter[name]", "Apple", "Apple of 1"),
            ("filter[name][ne]", "Apple", "Banana apricot of 2"),
            ("filter[name][in]", "Apple,Banana", "Banana Apple of 2"),
            ("filter[name][contains]", "AP", "apricot Apple of 2"),
            ("filter[name][starts_with]", "ba", "Banana of 1"),
            ("filter[weight][gte]", "2", "apricot Apple of 2"),
            ("filter[weight][gt]", "2", "Apple of 1"),
            ("filter[weight][lt]", "2", "Banana of 1"),
            ("filter[weight][lte]", "2", "Banana apricot of 2"),
            ("filter[weight][ne]", "2", "Banana Apple of 2"),
            ("filter[ripe]", "true", "Apple of 1"),
            ("filter[ripe][ne]", "true", "Banana apricot of 2"),
            ("filter[ripe][null]", "true", "apricot of 1"),
            ("filter[ripe][null]", "false", "Banana Apple of 2"),
            ("filter[picked]", "1970-01-03", "apricot of 1"),
            ("filter[picked][ne]", "1970-01-03", "Banana Apple of 2"),
            ("filter[picked][lt]", "1970-01-03", "Banana of 1"),
            ("filter[picked][lte]", "1970-01-03", "Banana apricot of 2"),
            ("filter[picked][gt]", "1970-01-03", "Apple of 1"),
            ("filter[picked][gte]", "1970-01-03", "apricot Apple of 2"),
            ("sort", "-weight", "Apple apricot Banana of 3"),
            ("sort", "name", "Apple Banana apricot of 3"),
        ] {
            assert_eq!(asked(&[(name, value)]), right, "{name}={value}");
        }
    }

    #[test]
    fn pages_are_cut_and_a_page_past_the_end_is_empty() {
        assert_eq!(asked(&[("per_page", "2")]), "Banana apricot of 3");
        assert_eq!(asked(&[("per_page", "2"), ("page", "2")]), "Apple of 3");
        assert_eq!(asked(&[("per_page", "2"), ("page", "3")]), " of 3");
    }
}
