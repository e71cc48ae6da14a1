//! The reference of the API for people, made from the OpenAPI document: it needs no script and
//! nothing from elsewhere.

use super::view::reference::{Operation, ReferencePage, Resource, ResourcePage};
use super::visit::{Handler, Reply, Visit};
use crate::http::openapi::DOCUMENT;
use crate::services::{Error, Result};

mod reading;

/// `GET /api/docs`.
pub const INDEX: Handler = |visit| Box::pin(index(visit));
/// `GET /api/docs/{resource}`.
pub const RESOURCE: Handler = |visit| Box::pin(resource(visit));

/// Characters that are searched for, at most.
const SEARCHED: usize = 100;

async fn index(visit: Visit) -> Result<Reply> {
    let q: String = visit.parameter("q").trim().chars().take(SEARCHED).collect();
    let mut resources = reading::resources(&DOCUMENT);
    for resource in &mut resources {
        resource.operations.retain(|operation| found(operation, &q));
    }
    resources.retain(|resource| !resource.operations.is_empty());
    Reply::page(&ReferencePage {
        shell: visit.gate("API reference"),
        places: places(),
        q,
        resources,
    })
}

async fn resource(visit: Visit) -> Result<Reply> {
    let name = visit.names.first().ok_or(Error::NotFound)?;
    let all = reading::resources(&DOCUMENT);
    let resource: Resource = all
        .into_iter()
        .find(|resource| resource.name == *name)
        .ok_or(Error::NotFound)?;
    Reply::page(&ResourcePage {
        shell: visit.gate(&format!("{name}, API reference")),
        places: places(),
        q: String::new(),
        resource,
    })
}

fn places() -> Vec<String> {
    let all = reading::resources(&DOCUMENT);
    all.into_iter().map(|resource| resource.name).collect()
}

/// All words stand somewhere in what is said of the operation.
fn found(operation: &Operation, q: &str) -> bool {
    let members = operation.request.iter().chain(&operation.answers);
    let fields = members.flat_map(|content| &content.fields);
    let named = operation.parameters.iter().chain(fields);
    let mut said = vec![
        operation.method.as_str(),
        &operation.path,
        &operation.name,
        &operation.summary,
        &operation.who,
    ];
    said.extend(named.map(|field| field.name.as_str()));
    said.extend(operation.filters.iter().map(|filter| filter.name.as_str()));
    let said = said.join("\n").to_lowercase();
    q.to_lowercase()
        .split_whitespace()
        .all(|word| said.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(q: &str) -> Vec<String> {
        let all = reading::resources(&DOCUMENT);
        let operations = all.into_iter().flat_map(|resource| resource.operations);
        let found = operations.filter(|operation| found(operation, q));
        found.map(|operation| operation.name).collect()
    }

    #[test]
    fn every_operation_is_there_once_and_is_found_by_what_is_said_of_it() {
        assert_eq!(names("").len(), crate::http::routes().len());
        assert_eq!(names("rotate POST"), ["rotate_api_key"]);
        assert_eq!(names("grace_minutes"), ["rotate_api_key"]);
        assert!(names("filter nothing-of-that-name").is_empty());
    }

    #[test]
    fn an_operation_is_shown_with_its_closed_sets_its_members_and_its_examples() {
        let all = reading::resources(&DOCUMENT);
        let sites = all
            .iter()
            .find(|resource| resource.name == "sites")
            .unwrap();
        let of = |name: &str| sites.operations.iter().find(|o| o.name == name).unwrap();
        let list = of("list_sites");
        let filter = list
            .filters
            .iter()
            .find(|f| f.name == "environment")
            .unwrap();
        assert_eq!(filter.kind, "production, staging or development");
        assert_eq!(filter.operators, ["eq", "ne", "in"]);
        let counted = |field: &&super::super::view::reference::Field| field.name == "counts.total";
        assert!(list.answers[0].fields.iter().any(|field| counted(&field)));
        let create = of("create_site");
        let request = create.request.as_ref().unwrap();
        let name = request.fields.iter().find(|f| f.name == "name").unwrap();
        assert!(name.required && request.example.contains("Museum"));
        let codes = |status: &str| {
            let refusal = create.refusals.iter().find(|r| r.status == status).unwrap();
            refusal
                .examples
                .iter()
                .map(|(code, _)| code.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(codes("409"), ["name_taken"]);
        assert_eq!(codes("400"), ["unknown-query", "unreadable"]);
    }
}
