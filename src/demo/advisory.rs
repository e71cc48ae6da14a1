//! An advisory as the stand-in for drupal.org publishes it, and the node that api-d7 makes of it.

use serde_json::{Value, json};

/// One advisory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// Its node's number.
    pub nid: i64,
    /// Such as `SA-CONTRIB-2026-007`.
    pub id: String,
    /// The project's short name.
    pub project: String,
    /// Its title; may hold markup.
    pub title: String,
    /// The vulnerability's type.
    pub kind: String,
    /// The risk vector.
    pub vector: Option<String>,
    /// A composer constraint.
    pub affected_versions: Option<String>,
    /// Such as `CVE-2026-12345`.
    pub cves: Vec<String>,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub changed: i64,
    /// Everybody can see it.
    pub published: bool,
}

impl Advisory {
    /// An advisory of middling risk about everything below 1.0.1, published at `created` (Unix seconds).
    pub fn new(nid: i64, id: &str, project: &str, created: i64) -> Self {
        Self {
            nid,
            id: id.to_owned(),
            project: project.to_owned(),
            title: format!("{project} - Moderately critical - Cross site scripting - {id}"),
            kind: "Cross site scripting".to_owned(),
            vector: Some("AC:Basic/A:User/CI:Some/II:Some/E:Theoretical/TD:All".to_owned()),
            affected_versions: Some("<1.0.1".to_owned()),
            cves: Vec::new(),
            created,
            changed: created,
            published: true,
        }
    }

    /// An announcement about no project in particular.
    pub fn announcement(nid: i64, id: &str, created: i64) -> Self {
        Self {
            title: format!("Something is coming - {id}"),
            kind: String::new(),
            vector: None,
            affected_versions: None,
            ..Self::new(nid, id, "securitydrupalorg", created)
        }
    }

    /// It is an announcement rather than an advisory.
    pub fn is_psa(&self) -> bool {
        self.id.starts_with("PSA-")
    }

    /// The number of the project's node.
    pub fn project_nid(&self) -> i64 {
        project_nid(&self.project)
    }

    /// The node in a listing, which names the project by its number only.
    pub fn listed(&self) -> Value {
        let reference = |nid: i64| json!({"uri": format!("https://www.drupal.org/api-d7/node/{nid}"), "id": nid.to_string(), "resource": "node"});
        let text = |text: &str| json!({"value": format!("<p>{text}</p>"), "format": "1"});
        let number = self.id.rsplit('-').next().unwrap_or_default();
        json!({
            "nid": self.nid.to_string(),
            "vid": self.nid.to_string(),
            "type": "sa",
            "language": "und",
            "status": if self.published { "1" } else { "0" },
            "title": self.title,
            "url": format!("https://www.drupal.org/{}", self.id.to_lowercase()),
            "created": self.created.to_string(),
            "changed": self.changed.to_string(),
            "author": {"uri": "https://www.drupal.org/api-d7/user/1", "id": "1", "resource": "user"},
            "field_is_psa": if self.is_psa() { "1" } else { "0" },
            "field_project": reference(self.project_nid()),
            "field_affected_versions": self.affected_versions,
            "field_fixed_in": [],
            "field_sa_advisory_id": number,
            "field_sa_criticality": self.vector,
            "field_sa_type": self.kind,
            "field_sa_cve": self.cves,
            "field_sa_description": text("What is wrong."),
            "field_sa_solution": text("Install the latest version."),
            "field_sa_reported_by": [],
            "field_sa_fixed_by": [],
            "field_sa_coordinated_by": [],
            "field_sa_changes": [],
            "body": [],
        })
    }

    /// The node alone, which says more.
    pub fn single(&self) -> Value {
        let mut node = self.listed();
        if let Some(fields) = node.as_object_mut() {
            fields.insert("sa_id".to_owned(), json!(self.id));
            if let Some(project) = fields
                .get_mut("field_project")
                .and_then(Value::as_object_mut)
            {
                project.insert("machine_name".to_owned(), json!(self.project));
            }
        }
        node
    }
}

/// The number of a project's node: core's own, and one that follows from the name for all others.
pub fn project_nid(project: &str) -> i64 {
    if project == "drupal" {
        3060
    } else {
        100_000_000 + i64::from(crc32fast::hash(project.as_bytes()))
    }
}
