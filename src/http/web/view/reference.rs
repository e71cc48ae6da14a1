//! The reference of the API: its operations by resource, and one resource with everything about it.

use askama::Template;

use super::super::parts;
use super::super::shell::Gate;

/// One resource of the API.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its word, as in paths.
    pub name: String,
    /// The operations on it; of a search, those that were found.
    pub operations: Vec<Operation>,
}

/// One operation.
#[derive(Debug, Clone, Default)]
pub struct Operation {
    /// Its unique name.
    pub name: String,
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: String,
    /// Its path.
    pub path: String,
    /// One sentence.
    pub summary: String,
    /// More, where there is more to say.
    pub description: String,
    /// Who may call.
    pub who: String,
    /// Parameters of the path, and of the query but for filters.
    pub parameters: Vec<Field>,
    /// Fields that a list can be filtered by.
    pub filters: Vec<Filter>,
    /// What is sent.
    pub request: Option<Content>,
    /// What comes back when all is well.
    pub answers: Vec<Content>,
    /// What comes back when not.
    pub refusals: Vec<Refusal>,
}

/// One parameter, or one member of a body.
#[derive(Debug, Clone, Default)]
pub struct Field {
    /// Its name; with what it stands in before it.
    pub name: String,
    /// What its values are.
    pub kind: String,
    /// It must be there.
    pub required: bool,
    /// A sentence.
    pub about: String,
}

/// One field that a list can be filtered by.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: String,
    /// How it can be compared, as words in the parameter's name.
    pub operators: Vec<String>,
}

/// A body that is sent or answered.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// The status; empty for a request.
    pub status: String,
    /// The media type; empty where there is no body.
    pub media: String,
    /// What its data has.
    pub fields: Vec<Field>,
    /// An example.
    pub example: String,
}

/// One refusal.
#[derive(Debug, Clone, Default)]
pub struct Refusal {
    /// The status.
    pub status: String,
    /// A sentence.
    pub about: String,
    /// Examples by their codes.
    pub examples: Vec<(String, String)>,
}

/// All resources with their operations, or those that were searched for.
#[derive(Debug, Template)]
#[template(path = "reference.html")]
pub struct ReferencePage {
    /// What stands around it.
    pub shell: Gate,
    /// The resources, for the list beside the page.
    pub places: Vec<String>,
    /// What was searched for.
    pub q: String,
    /// The resources and operations that are shown.
    pub resources: Vec<Resource>,
}

/// One resource.
#[derive(Debug, Template)]
#[template(path = "reference_resource.html")]
pub struct ResourcePage {
    /// What stands around it.
    pub shell: Gate,
    /// The resources, for the list beside the page.
    pub places: Vec<String>,
    /// What was searched for: nothing.
    pub q: String,
    /// The resource.
    pub resource: Resource,
}
