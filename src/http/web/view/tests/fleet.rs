//! The list of sites, and how a site is brought in, with believable content.

use super::*;
use crate::http::web::view::fleet::*;

fn sites() -> SitesPage {
    let row = |status,
               name: &str,
               why,
               client: &str,
               tag: &str,
               core: &str,
               exposed,
               updates,
               last: f64| SiteRow {
        id: 7,
        name: name.into(),
        status,
        silent: status == Status::Silent,
        why,
        client: client.into(),
        environment: if name.starts_with("stage") {
            "staging"
        } else {
            "production"
        }
        .into(),
        tags: vec![tag.into()],
        core: Some(core.into()),
        exposed,
        updates,
        last: Some(ago(last)),
    };
    let mut rows = vec![
        row(
            Status::Overdue,
            "intranet.larkspur.example",
            Why::Clock(clock(-99.0, 267.0)),
            "Larkspur Health",
            "gold",
            "11.3.14",
            1,
            11,
            0.7,
        ),
        row(
            Status::Overdue,
            "oberwalden.example",
            Why::Clock(clock(-37.8, 206.0)),
            "Gemeinde Oberwalden",
            "gold",
            "10.6.12",
            2,
            6,
            0.5,
        ),
        row(
            Status::Exposed,
            "elmshagen.example",
            Why::Clock(clock(32.3, 40.0)),
            "Stadtwerke Elmshagen",
            "silver",
            "10.6.13",
            1,
            9,
            0.9,
        ),
        row(
            Status::Exposed,
            "stage.quillbrook.example",
            Why::Clock(clock(128.0, 40.0)),
            "Quillbrook Libraries",
            "silver",
            "11.3.14",
            1,
            5,
            0.6,
        ),
        row(
            Status::Unsupported,
            "archive.kestrel.example",
            Why::Words("A module has no supported release".into()),
            "Kestrel Verlag",
            "bronze",
            "10.6.13",
            0,
            8,
            1.0,
        ),
        row(
            Status::Silent,
            "shop.fjordline.example",
            Why::Words("Expected 32 h 47 min ago".into()),
            "Fjordline Outdoor",
            "gold",
            "11.3.14",
            0,
            7,
            33.8,
        ),
        row(
            Status::Unknown,
            "lab.suedmark.example",
            Why::Words("Core was not reported".into()),
            "Akademie Südmark",
            "bronze",
            "",
            0,
            0,
            0.3,
        ),
        row(
            Status::Pending,
            "neu.suedmark.example",
            Why::Words("Nothing has arrived yet".into()),
            "Akademie Südmark",
            "bronze",
            "",
            0,
            0,
            0.3,
        ),
    ];
    rows[7].last = None;
    rows[7].core = None;
    rows.extend((0..14).map(|i| {
        let status = if i < 9 { Status::Update } else { Status::Fine };
        row(
            status,
            "events.varrel.example",
            Why::Nothing,
            "Kunsthalle Varrel",
            "bronze",
            "11.4.4",
            0,
            if i < 9 { 8 } else { 0 },
            0.4,
        )
    }));
    SitesPage {
        shell: shell("Sites", "/sites"),
        views: vec![
            Tab::new("All", Some(142), "/sites", true),
            Tab::new("Exposed", Some(9), "/sites?view=exposed", false),
            Tab::new("Unsupported", Some(4), "/sites?view=unsupported", false),
            Tab::new("Silent or unknown", Some(4), "/sites?view=unknown", false),
            Tab::new("Update available", Some(58), "/sites?view=update", false),
            Tab::new("Fine", Some(67), "/sites?view=fine", false),
        ],
        list: list("/sites", 69, &[("filter[environment]", "production")]),
        rows,
        environments: vec![
            Choice::new("production", "production", "production"),
            Choice::new("staging", "staging", ""),
        ],
        organizations: vec![Choice::new("1", "Gemeinde Oberwalden", "")],
        may_write: true,
    }
}

pub(super) fn pages() -> Pages {
    let mut nothing = sites();
    nothing.rows.clear();
    vec![
        ("sites", sites().render()),
        ("sites-none", nothing.render()),
        (
            "import",
            ImportPage {
                shell: shell("Import sites", "/sites/import"),
                error: None,
                result: Some(ImportResult {
                    made: 2,
                    lines: vec![ImportLine { line: 4, faults: vec!["environment: production, staging or development.".into()] }],
                    csv: "organization,name,environment,site_id,key\nVarrel,events.varrel.example,production,12,dwl_4pT9xK2mQ7vB1nR8".into(),
                }),
            }
            .render(),
        ),
    ]
}
