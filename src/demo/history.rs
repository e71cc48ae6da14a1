//! Projects with their releases as data, and the document that drupal.org would write about them.
//! Knows no server and no clock.

use std::fmt::Write as _;

/// A project on drupal.org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The machine name.
    pub short_name: String,
    /// The name for people.
    pub title: String,
    /// drupal.org's word: `project_core`, `project_module`, `project_theme`, `project_distribution`.
    pub kind: String,
    /// Prefixes of the versions that are supported, such as `8.x-1.` and `2.0.`.
    pub supported_branches: Vec<String>,
    /// `published`, `unsupported`, `unpublished`, `insecure`, `revoked`.
    pub status: String,
    /// In the order of the document: newest first, development releases last.
    pub releases: Vec<Release>,
}

/// One release of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// As drupal.org writes it: `2.0.3`, `8.x-1.4`, `2.0.x-dev`.
    pub version: String,
    /// Seconds since 1970.
    pub date: i64,
    /// `published` or `unpublished`.
    pub status: String,
    /// What the release brings, and what became of it.
    pub types: Vec<ReleaseType>,
    /// A composer constraint on the version of core, such as `^10.3 || ^11`.
    pub core_compatibility: Option<String>,
}

/// drupal.org's vocabulary "Release type".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseType {
    /// Bug fixes.
    BugFixes,
    /// New features.
    NewFeatures,
    /// Fixes a security problem.
    SecurityUpdate,
    /// Has a known security problem.
    Insecure,
    /// No longer cared for.
    Unsupported,
}

impl ReleaseType {
    /// The term as drupal.org writes it.
    pub fn term(self) -> &'static str {
        match self {
            Self::BugFixes => "Bug fixes",
            Self::NewFeatures => "New features",
            Self::SecurityUpdate => "Security update",
            Self::Insecure => "Insecure",
            Self::Unsupported => "Unsupported",
        }
    }
}

impl Project {
    /// A published project without releases.
    pub fn new(short_name: &str, title: &str, kind: &str, supported_branches: &[&str]) -> Self {
        Self {
            short_name: short_name.to_owned(),
            title: title.to_owned(),
            kind: kind.to_owned(),
            supported_branches: supported_branches.iter().map(|b| (*b).to_owned()).collect(),
            status: "published".to_owned(),
            releases: Vec::new(),
        }
    }

    /// With a release at its place.
    #[must_use]
    pub fn with(mut self, release: Release) -> Self {
        self.publish(release);
        self
    }

    /// Adds a release where drupal.org would list it; one that is listed already is replaced. A security
    /// update marks every older release of its branch as insecure, as drupal.org does.
    pub fn publish(&mut self, release: Release) {
        self.releases.retain(|r| r.version != release.version);
        if release.types.contains(&ReleaseType::SecurityUpdate)
            && let Some(branch) = branch_of(&release.version)
        {
            let order = order(&release.version);
            for older in &mut self.releases {
                if older.version.starts_with(branch) && self::order(&older.version) > order {
                    older.mark_insecure();
                }
            }
        }
        let place = order(&release.version);
        let at = self.releases.partition_point(|r| order(&r.version) < place);
        self.releases.insert(at, release);
    }

    /// Marks one release as insecure. False where there is no such release.
    pub fn mark_insecure(&mut self, version: &str) -> bool {
        let found = self.releases.iter_mut().find(|r| r.version == version);
        found.map(Release::mark_insecure).is_some()
    }

    /// The release history as drupal.org writes it.
    pub fn to_xml(&self) -> String {
        let mut xml = String::with_capacity(1_000 + self.releases.len() * 900);
        let name = escaped(&self.short_name);
        xml.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
        xml.push_str("<project xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n");
        element(&mut xml, "title", &self.title);
        element(&mut xml, "short_name", &self.short_name);
        element(&mut xml, "dc:creator", "demo");
        element(&mut xml, "type", &self.kind);
        element(
            &mut xml,
            "supported_branches",
            &self.supported_branches.join(","),
        );
        element(
            &mut xml,
            "composer_namespace",
            &format!("drupal/{}", self.short_name),
        );
        element(&mut xml, "project_status", &self.status);
        let _ = writeln!(xml, "<link>https://www.drupal.org/project/{name}</link>");
        xml.push_str("<terms><term><name>Maintenance status</name><value>Actively maintained</value></term></terms>\n<releases>\n");
        for release in &self.releases {
            release.write(&mut xml, &name);
        }
        xml.push_str("</releases>\n</project>\n");
        xml
    }
}

impl Release {
    /// A published release with bug fixes.
    pub fn new(version: &str, date: i64) -> Self {
        Self {
            version: version.to_owned(),
            date,
            status: "published".to_owned(),
            types: vec![ReleaseType::BugFixes],
            core_compatibility: None,
        }
    }

    /// A published security update.
    pub fn security(version: &str, date: i64) -> Self {
        Self {
            types: vec![ReleaseType::SecurityUpdate],
            ..Self::new(version, date)
        }
    }

    /// That needs this core.
    #[must_use]
    pub fn needing(mut self, core_compatibility: &str) -> Self {
        self.core_compatibility = Some(core_compatibility.to_owned());
        self
    }

    fn mark_insecure(&mut self) {
        if !self.types.contains(&ReleaseType::Insecure) {
            self.types.push(ReleaseType::Insecure);
        }
    }

    fn is_dev(&self) -> bool {
        self.version.ends_with("-dev")
    }

    fn write(&self, xml: &mut String, project: &str) {
        let version = escaped(&self.version);
        let tag = version.strip_suffix("-dev").unwrap_or(&version);
        let _ = write!(
            xml,
            "<release><name>{project} {version}</name><version>{version}</version><tag>{tag}</tag>\
             <status>{}</status><release_link>https://www.drupal.org/project/{project}/releases/{version}</release_link>\
             <download_link>https://ftp.drupal.org/files/projects/{project}-{version}.tar.gz</download_link><date>{}</date>",
            escaped(&self.status),
            self.date
        );
        if !self.types.is_empty() {
            xml.push_str("<terms>");
            for kind in &self.types {
                let _ = write!(
                    xml,
                    "<term><name>Release type</name><value>{}</value></term>",
                    kind.term()
                );
            }
            xml.push_str("</terms>");
        }
        xml.push_str(if self.is_dev() {
            "<security>Dev releases are not covered by Drupal security advisories.</security>"
        } else if self.version.matches('-').count() > usize::from(self.version.contains(".x-")) {
            "<security>Pre-releases are not covered by Drupal security advisories.</security>"
        } else {
            "<security covered=\"1\">Covered by Drupal's security advisory policy</security>"
        });
        if let Some(core) = &self.core_compatibility {
            let _ = write!(
                xml,
                "<core_compatibility>{}</core_compatibility>",
                escaped(core)
            );
        }
        xml.push_str("</release>");
    }
}

/// What versions of the same branch begin with: all up to the last dot.
fn branch_of(version: &str) -> Option<&str> {
    version.rfind('.').and_then(|dot| version.get(..=dot))
}

/// The place of a version in a document, smallest first: what is developed last, then newest first,
/// a release before its own rc, beta and alpha.
fn order(
    version: &str,
) -> (
    bool,
    [std::cmp::Reverse<u64>; 3],
    u8,
    std::cmp::Reverse<u64>,
) {
    use std::cmp::Reverse;
    let plain = version.strip_prefix("8.x-").unwrap_or(version);
    let (numbers, extra) = plain.split_once('-').unwrap_or((plain, ""));
    // A development branch stands for everything that is still to come on it.
    let mut parts = numbers.split('.').map(|part| {
        Reverse(if part == "x" {
            u64::MAX
        } else {
            part.parse().unwrap_or(0)
        })
    });
    let mut next = || parts.next().unwrap_or(Reverse(0));
    let numbers = [next(), next(), next()];
    let stage = match extra.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "" => 0,
        "rc" => 1,
        "beta" => 2,
        _ => 3,
    };
    let round = extra
        .trim_start_matches(|c: char| !c.is_ascii_digit())
        .parse()
        .unwrap_or(0);
    (extra.ends_with("dev"), numbers, stage, Reverse(round))
}

fn element(xml: &mut String, name: &str, text: &str) {
    let _ = writeln!(xml, "<{name}>{}</{name}>", escaped(text));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(project: &Project) -> Vec<&str> {
        project
            .releases
            .iter()
            .map(|r| r.version.as_str())
            .collect()
    }

    #[test]
    fn releases_stand_where_drupal_org_lists_them() {
        let mut project = Project::new("rope", "Rope", "project_module", &["8.x-1.", "2.0."]);
        for version in [
            "2.0.x-dev",
            "8.x-1.0",
            "2.0.0-rc1",
            "2.0.0-beta10",
            "8.x-1.x-dev",
            "2.0.0",
            "8.x-1.10",
            "2.0.0-beta2",
            "10.0.0",
            "8.x-1.9",
            "2.0.0",
        ] {
            project.publish(Release::new(version, 1));
        }
        assert_eq!(
            versions(&project),
            [
                "10.0.0",
                "2.0.0",
                "2.0.0-rc1",
                "2.0.0-beta10",
                "2.0.0-beta2",
                "8.x-1.10",
                "8.x-1.9",
                "8.x-1.0",
                "2.0.x-dev",
                "8.x-1.x-dev"
            ]
        );
    }

    #[test]
    fn a_security_update_makes_the_older_releases_of_its_branch_insecure() {
        let project = Project::new("rope", "Rope", "project_module", &["1.0.", "1.1."])
            .with(Release::new("1.0.0", 1))
            .with(Release::new("1.0.1-beta1", 1))
            .with(Release::new("1.1.0", 1))
            .with(Release::new("1.0.2", 1))
            .with(Release::security("1.0.1", 2));
        let insecure: Vec<_> = project
            .releases
            .iter()
            .filter(|r| r.types.contains(&ReleaseType::Insecure))
            .map(|r| r.version.as_str())
            .collect();
        assert_eq!(insecure, ["1.0.1-beta1", "1.0.0"]);
    }

    #[test]
    fn the_document_escapes_what_it_holds() {
        let project = Project::new("rope", "Rope & <Ladder>", "project_module", &[])
            .with(Release::new("1.0.0", 7).needing("^10.3 || >=11"));
        let xml = project.to_xml();
        assert!(xml.contains("<title>Rope &amp; &lt;Ladder&gt;</title>"));
        assert!(xml.contains("<core_compatibility>^10.3 || &gt;=11</core_compatibility>"));
        assert!(xml.contains("<date>7</date>"));
    }
}
