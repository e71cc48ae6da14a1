//! The pages of reports: what they say is what their files say, what they can be narrowed by stands in
//! their form, what is gone is told without a dead link, and nothing of others shows through.

use std::io::Read;
use std::time::Duration;

use dewline::domain::text::harmless;
use dewline::http::server::serve;
use dewline::store::{Lane, StoreError};
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::matrix::town::{joins, person};
use crate::reports::{NAMES, cells_of, copies, fleet, read};
use crate::support::{Answer, Client, EMAIL, TestApp};

const VIEWER: i64 = 3;
/// Columns for programs: a page has them in no cell that is seen.
const BESIDES: [&str; 4] = ["exposure_id", "site_id", "organization_id", "module_id"];

async fn look(browser: &Client<'_>, path: &str) -> Answer {
    let page = browser.get(&format!("//reports/{path}")).await;
    assert_eq!(page.status, 200, "{path}: {}", page.text);
    page
}

/// A text as a page writes it.
fn plain(text: &str) -> String {
    let mut seen = String::new();
    let mut inside = false;
    for letter in text.chars() {
        match letter {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if !inside => seen.push(letter),
            _ => {}
        }
    }
    for (written, meant) in [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ] {
        seen = seen.replace(written, meant);
    }
    seen.trim().to_owned()
}

/// What is seen in the cells of the table on a page, row by row.
fn seen_of(page: &str) -> Vec<Vec<String>> {
    let Some((_, table)) = page.split_once("<table class=\"tbl report\">") else {
        return Vec::new();
    };
    let body = table.split("</table>").next().unwrap();
    let body = body.split_once("<tbody>").unwrap().1;
    let rows = body.split("<tr>").skip(1).map(|row| {
        let row = row.split("</tr>").next().unwrap();
        let cells = row.split("<td").skip(1);
        cells.map(|cell| plain(&format!("<td{cell}"))).collect()
    });
    rows.collect()
}

/// How a page shows a cell of a file.
fn shown(column: &str, cell: &str) -> String {
    match column {
        "version" if cell.is_empty() => "not reported".to_owned(),
        _ if cell.is_empty() => "–".to_owned(),
        _ if column.ends_with("_at") => {
            let at: Timestamp = cell.parse().unwrap();
            at.strftime("%-d %b %Y, %H:%M").to_string()
        }
        "compliance" => {
            let share = format!("{:.1}", cell.parse::<f64>().unwrap() * 100.0);
            format!("{} %", share.trim_end_matches(".0"))
        }
        _ if column.ends_with("_hours") => cell.parse::<f64>().unwrap().to_string(),
        "risk" | "status" | "state" => cell.replace('_', " "),
        "kind" if cell == "php" => "PHP".to_owned(),
        "kind" => "Core".to_owned(),
        _ => cell.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_seen_on_a_page_is_what_its_file_says_cell_by_cell() {
    let (house, harbour, _) = fleet().await;
    for name in ["=1+1", "<b>\"Quay\" & 'co'</b>"] {
        let site = house.site_of(harbour, "Other").await;
        let facts = json!({"drupal_version": "11.2.0", "php_version": "8.1.2"});
        let mut inventory = crate::support::Site::inventory(&[("poll", "1.0.0")]);
        inventory["site"] = facts;
        site.sends(&inventory).await.ok();
        let named = json!({"name": name});
        house.admin().put(&site.path(""), &named).await.ok();
    }
    house.run_jobs().await;
    let browser = house.signed_in(EMAIL).await;
    for name in NAMES {
        let dates = match name {
            "end-of-life" => "environment=all",
            _ => "environment=all&from=2026-10-24&to=2026-12-31",
        };
        let page = look(&browser, &format!("{name}?{dates}")).await;
        let file = look(&browser, &format!("{name}?{dates}&format=csv")).await;
        let told: Vec<Vec<String>> = read(&file.text)
            .into_iter()
            .map(|row| {
                let seen = row
                    .into_iter()
                    .filter(|(column, _)| !BESIDES.contains(&column.as_str()));
                seen.map(|(column, cell)| shown(&column, &cell)).collect()
            })
            .collect();
        // A file takes the power from what a spreadsheet would compute; a page says it as it is.
        let seen: Vec<Vec<String>> = seen_of(&page.text)
            .into_iter()
            .map(|row| row.iter().map(|cell| harmless(cell).into_owned()).collect())
            .collect();
        assert!(!told.is_empty(), "{name}");
        assert_eq!(seen, told, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_page_goes_on_where_the_one_before_ended() {
    let (house, ..) = fleet().await;
    copies(&house, 1, 450).await;
    let browser = house.signed_in(EMAIL).await;
    let asked = "security-updates?environment=all&from=2026-10-24&to=2026-12-31";
    let file = look(&browser, &format!("{asked}&format=csv")).await;
    let all: Vec<Vec<String>> = read(&file.text)
        .into_iter()
        .map(|row| row.into_iter().map(|(_, cell)| cell).collect())
        .collect();
    assert_eq!(all.len(), 454);
    let mut leafed = Vec::new();
    for (page, rows) in [(1, 200), (2, 200), (3, 54)] {
        let found = cells_of(&look(&browser, &format!("{asked}&page={page}")).await.text);
        assert_eq!(found.len(), rows, "page {page}");
        leafed.extend(found);
    }
    assert_eq!(leafed, all);
    let behind = look(&browser, &format!("{asked}&page=9")).await;
    assert!(behind.text.contains("After the last page"));
    assert!(!behind.text.contains("Nothing in this time"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_narrowed_to_a_site_and_a_tag_in_its_form() {
    let (house, ..) = fleet().await;
    let tagged = json!({"tags": ["Shop"]});
    house.admin().put("/sites/1", &tagged).await.ok();
    let browser = house.signed_in(EMAIL).await;
    for name in NAMES {
        let page = look(&browser, &format!("{name}?site_id=1&tag=Shop")).await;
        for said in [
            "<option value=\"1\" selected>Quay (Harbour)</option>",
            "<option value=\"2\">Barn (Meadow)</option>",
            "<option value=\"4\">Stage, staging (Harbour)</option>",
            "name=\"tag\" value=\"Shop\"",
            "<datalist id=\"tags\"><option value=\"Shop\"></option></datalist>",
            "<span>Site</span>Quay<",
            "<span>Tag</span>Shop<",
            ", site Quay, tag Shop</p>",
        ] {
            assert!(page.text.contains(said), "{name}: {said}: {}", page.text);
        }
    }
    // A site's name is understood, too, and its number stands in the links.
    let page = look(&browser, "security-updates?site_id=quay").await;
    assert_eq!(seen_of(&page.text).len(), 1);
    assert!(
        page.text.contains("site_id=1&#38;format=csv"),
        "{}",
        page.text
    );
    let wrongs = [
        (
            "site_id=Quai",
            "site_id",
            "Site must be one that you can see there.",
        ),
        (
            "site_id=Stage",
            "site_id",
            "Site must be one that you can see there.",
        ),
        ("site_id=0", "site_id", "Site takes the number of one."),
        (
            "site_id=1&site_id=2",
            "site_id",
            "Site is given more than once.",
        ),
        (
            &format!("tag={}", "x".repeat(256)),
            "tag",
            "Tag takes 1 to 255 characters.",
        ),
    ];
    for (query, field, said) in wrongs {
        let page = browser
            .get(&format!("//reports/security-updates?{query}"))
            .await;
        assert_eq!(page.status, 422, "{query}");
        let (_, at) = page.text.split_once(&format!("id=\"d-{field}\"")).unwrap();
        assert!(at.split("</div>").next().unwrap().contains(said), "{at}");
        assert!(
            page.text
                .contains(&format!("aria-describedby=\"d-{field}\"")),
            "{query}"
        );
    }
    let staging = look(
        &browser,
        "security-updates?site_id=Stage&environment=staging",
    )
    .await;
    assert_eq!(seen_of(&staging.text).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn among_very_many_sites_one_is_typed() {
    let (house, harbour, meadow) = fleet().await;
    for number in 0..200 {
        let site = json!({
            "name": format!("Hut {number}"),
            "url": format!("https://hut-{number}.example"),
            "organization_id": meadow,
        });
        house.admin().post("/sites", &site).await.created();
    }
    let twin = json!({"name": "Hut 7", "url": "https://twin.example", "organization_id": harbour});
    house.admin().post("/sites", &twin).await.created();
    let browser = house.signed_in(EMAIL).await;
    let page = look(&browser, "security-updates").await;
    let typed = "<input class=\"inp\" id=\"f-site\" name=\"site\" value=\"\"";
    assert!(page.text.contains(typed), "{}", page.text);
    assert!(!page.text.contains("Hut 7"), "none is listed");
    let page = look(&browser, "security-updates?site=mill").await;
    assert_eq!(seen_of(&page.text)[0][0], "Mill");
    assert!(page.text.contains("name=\"site\" value=\"Mill\""));
    let page = browser.get("//reports/security-updates?site=Hut%207").await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("aria-describedby=\"d-site\""));
    assert!(page.text.contains("choose an organization"));
    // Barn is called by Mill's number: what is typed is a name, what stands in an address is a number.
    let named = json!({"name": "3"});
    house.admin().put("/sites/2", &named).await.ok();
    let asks = [
        ("site=3", "3", 2),
        ("site_id=3", "Mill", 3),
        ("site=1", "Quay", 1),
    ];
    for (asked, name, id) in asks {
        let page = look(&browser, &format!("security-updates?{asked}")).await;
        assert_eq!(seen_of(&page.text)[0][0], name, "{asked}");
        let file = format!("site_id={id}&#38;format=csv");
        assert!(page.text.contains(&file), "{asked}: {}", page.text);
    }
    // Within an organization that has few they are listed again.
    let few = format!("security-updates?organization_id={harbour}");
    let page = look(&browser, &few).await;
    assert!(page.text.contains("\">Hut 7</option>"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_is_named_without_a_link_that_leads_nowhere() {
    let (house, _, meadow) = fleet().await;
    let browser = house.signed_in(EMAIL).await;
    let named = "<a href=\"/sites/1\"><data value=\"Quay\">Quay</data></a>";
    let asked = "security-updates?from=2026-10-24&to=2026-12-31";
    let before = look(&browser, asked).await;
    assert!(before.text.contains(named));
    let file = look(&browser, &format!("{asked}&format=csv")).await;
    let run = browser.get("//patch-runs/1").await;
    let site = run.text.split("href=\"/sites/").nth(1).unwrap();
    let site = site.split('/').next().unwrap();
    for id in [site, "1"] {
        house.admin().delete(&format!("/sites/{id}")).await;
    }
    let path = format!("/organizations/{meadow}");
    assert_eq!(house.admin().delete(&path).await.status, 204);

    let after = look(&browser, asked).await;
    assert_eq!(seen_of(&after.text)[0][0], "Quay deleted");
    assert!(!after.text.contains("href=\"/sites/1\""));
    assert_eq!(seen_of(&after.text)[1][0], "Barn deleted");
    assert!(
        after.text.contains("<a href=\"/sites/3\">"),
        "Mill is there"
    );
    let same = look(&browser, &format!("{asked}&format=csv")).await;
    assert_eq!(read(&same.text), read(&file.text), "a file stays as it was");
    let compliance = look(&browser, "sla-compliance").await;
    assert!(
        compliance
            .text
            .contains("<span class=\"tag\">deleted</span>")
    );
    assert!(!compliance.text.contains(&format!("href=\"{path}\"")));
    for page in ["exposures/1", "patch-runs/1"] {
        let found = browser.get(&format!("//{page}")).await;
        assert_eq!(found.status, 200, "{page}: {}", found.text);
        assert!(!found.text.contains("href=\"/sites/"), "{page}");
        assert!(found.text.contains("<span class=\"tag\">deleted</span>"));
    }
    for list in ["patch-runs", "exposures"] {
        let found = browser
            .get(&format!("//{list}?filter%5Bsite_id%5D=1"))
            .await;
        assert_eq!(found.status, 200, "{list}: {}", found.text);
        assert!(!found.text.contains("href=\"/sites/1"), "{list}");
    }
    let narrowed = look(&browser, &format!("{asked}&site_id=1")).await;
    let choice = "<option value=\"1\" selected>Quay (deleted)</option>";
    assert!(narrowed.text.contains(choice), "{}", narrowed.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_that_report_no_version_stand_in_the_calendar_as_such() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.site_of(harbour, "Silent").await;
    let quay = house.site_of(harbour, "Quay").await;
    quay.syncs(&[]).await;
    for (name, php) in [
        ("New", "8.4.1"),
        ("Old", "5.3.2"),
        ("Odd", "future"),
        ("Late", "8.1.30"),
    ] {
        let site = house.site_of(harbour, name).await;
        let mut inventory = crate::support::Site::inventory(&[]);
        inventory["site"] = json!({"php_version": php});
        site.sends(&inventory).await.ok();
    }
    house.run_jobs().await;
    let browser = house.signed_in(EMAIL).await;
    let page = look(&browser, "end-of-life").await;
    let php: Vec<String> = seen_of(&page.text)
        .into_iter()
        .filter(|row| row[0] == "PHP")
        .map(|row| format!("{} {} {}", row[1], row[2], row[3]))
        .collect();
    assert_eq!(
        php,
        [
            "5.3 – ended",
            "8.1 2026-01-01 ended",
            "8.4 2029-01-01 supported",
            "future – unknown",
            "not reported – unknown",
        ],
        "what ends first comes first"
    );
    for (kind, field, sites, names) in [
        ("Core", "drupal_version", 1, vec!["Silent"]),
        ("PHP", "php_version", 2, vec!["Silent", "Quay"]),
    ] {
        let href = format!(
            "/sites?filter%5B{field}%5D%5Bnull%5D=true&#38;filter%5Benvironment%5D=production"
        );
        let row = format!("<a href=\"{href}\"><data value=\"{sites}\">{sites}</data></a>");
        assert!(page.text.contains(&row), "{row}: {}", page.text);
        let cells = [
            kind,
            "not reported",
            "–",
            "unknown",
            &sites.to_string(),
            "–",
        ];
        assert!(
            seen_of(&page.text).iter().any(|row| row == &cells),
            "{kind}"
        );
        let list = browser
            .get(&format!("/{}", href.replace("&#38;", "&")))
            .await;
        assert_eq!(list.status, 200);
        for name in ["Silent", "Quay", "New", "Old"] {
            let listed = list.text.contains(&format!(">{name}</a>"));
            assert_eq!(listed, names.contains(&name), "{kind}: {name}");
        }
    }
    assert!(page.text.contains("1 site has not reported theirs."));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_on_record_is_said_and_has_no_figures() {
    let (house, ..) = fleet().await;
    house
        .admin()
        .put("/sites/1", &json!({"tags": ["Shop"]}))
        .await
        .ok();
    let browser = house.signed_in(EMAIL).await;
    let slips = [
        ("module=pol", "No module of that name is on record."),
        ("tag=Shopp", "No site with that tag is on record."),
        ("site_id=99", "No such site is on record."),
    ];
    for name in NAMES {
        for (asked, said) in slips {
            if name == "end-of-life" && asked.starts_with("module") {
                continue;
            }
            let page = look(&browser, &format!("{name}?{asked}")).await;
            assert!(page.text.contains(said), "{name}?{asked}");
            assert!(!page.text.contains("<dl class=\"figs\">"), "{name}?{asked}");
        }
        for asked in ["module=poll", "tag=shop", "site_id=1"] {
            if name == "end-of-life" && asked.starts_with("module") {
                continue;
            }
            let page = look(&browser, &format!("{name}?environment=staging&{asked}")).await;
            assert!(!page.text.contains("on record."), "{name}?{asked}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn module_updates_name_what_could_not_be_judged() {
    let (house, harbour, _) = fleet().await;
    house.admin().delete("/sites/3").await;
    let browser = house.signed_in(EMAIL).await;
    let path = "/reports/module-updates";
    let before = house.admin().get(path).await;
    let site = house.site_of(harbour, "Odd").await;
    let names: Vec<String> = (0..12).map(|at| format!("odd_{at:02}")).collect();
    let odd: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1.0.0")).collect();
    site.syncs(&odd).await;
    let after = house.admin().get(path).await;
    assert_ne!(before.header("etag"), after.header("etag"));
    let counted = after.json()["meta"]["unknown_modules"].as_u64().unwrap();
    assert_eq!(
        counted,
        before.json()["meta"]["unknown_modules"].as_u64().unwrap() + 12
    );
    assert_eq!(
        after.json()["data"],
        json!([]),
        "and none of them has a row"
    );
    let page = look(&browser, "module-updates").await;
    let said = format!("{counted} modules could not be judged, and nobody knows");
    assert!(page.text.contains(&said), "{}", page.text);
    assert!(page.text.contains(">odd_00</a>,"));
    assert!(page.text.contains(&format!("and {} more.", counted - 10)));
    let one = look(&browser, "module-updates?module=odd_03").await;
    assert!(one.text.contains("1 module could not be judged"));
    let quay = look(&browser, "module-updates?site_id=1&module=poll").await;
    assert!(!quay.text.contains("could not be judged"));
}

/// A page or an answer without what was typed into the question, and without the request's id.
fn without(answer: &Answer, typed: &[String]) -> (u16, String) {
    let mut text = answer.text.clone();
    let id = answer.header("x-request-id").to_owned();
    if !id.is_empty() {
        text = text.replace(&id, "ID");
    }
    for said in typed {
        text = text.replace(said, "TYPED");
    }
    (answer.status.as_u16(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_others_is_for_a_filter_what_nobody_knows() {
    let (house, harbour, meadow) = fleet().await;
    let tagged = json!({"tags": ["Theirs"]});
    house.admin().put("/sites/2", &tagged).await.ok();
    let secret = house.site_of(meadow, "Vault").await;
    secret.syncs(&[("hidden_module", "1.0.0")]).await;
    house.run_jobs().await;
    let mo = person(&house, "mo@example.org", "Mo Tern").await;
    joins(&house, harbour, mo, VIEWER).await;
    let browser = house.signed_in("mo@example.org").await;
    let key = house
        .key(harbour, &["reports:read", "reports:export"])
        .await;
    let program = house.bearer(&key);
    let numbered = |field: &str, id: &str| {
        vec![
            format!("{field}={id}"),
            format!("value=\"{id}\""),
            format!("selected>{id}<"),
            format!("ite {id}"),
            format!("rganization {id}"),
            format!("</span>{id}<"),
        ]
    };
    let meadow = meadow.to_string();
    let pairs = [
        ("site_id", "2", "9", true),
        ("organization_id", meadow.as_str(), "9", true),
        ("site_id", "Barn", "Born", false),
        ("tag", "Theirs", "Thairs", false),
        ("module", "hidden_module", "hiddan_module", false),
    ];
    for name in NAMES {
        for (field, theirs, nobodys, is_number) in pairs {
            if name == "end-of-life" && field == "module" {
                continue;
            }
            let typed = |value: &str| match is_number {
                true => numbered(field, value),
                false => vec![value.to_owned(), value.replace('_', " ")],
            };
            let path = |value: &str| format!("{name}?{field}={value}");
            for client in [&browser, &program] {
                let through = |value: &str| match std::ptr::eq(client, &browser) {
                    true => format!("//reports/{}", path(value)),
                    false => format!("/reports/{}", path(value)),
                };
                let one = client.get(&through(theirs)).await;
                let other = client.get(&through(nobodys)).await;
                assert_eq!(
                    without(&one, &typed(theirs)),
                    without(&other, &typed(nobodys)),
                    "{name}: {field}"
                );
            }
        }
        let page = look(&browser, name).await;
        for theirs in ["Barn", "Vault", "Theirs", "hidden_module", "Meadow"] {
            assert!(!page.text.contains(theirs), "{name}: {theirs}");
        }
    }
}

/// All bytes that come through a connection of its own until it ends.
async fn bytes(at: &str, token: &str, encoding: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let asked = format!(
        "GET /api/v1/reports/security-updates?to=2027-12-31&from=2026-01-01 HTTP/1.1\r\nhost: {at}\r\n\
         authorization: Bearer {token}\r\naccept-encoding: {encoding}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    let read = stream.read_to_end(&mut all);
    // A cut connection ends with an error or just ends.
    let _ = tokio::time::timeout(Duration::from_secs(60), read)
        .await
        .expect("it ends");
    all
}

/// The body of an answer in chunks, and whether it came to its end.
fn body(answer: &[u8]) -> (Vec<u8>, bool) {
    let at = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&answer[..at]).to_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    let mut rest = &answer[at + 4..];
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return (body, rest == b"0\r\n\r\n");
        }
        let chunk = &rest[end + 2..];
        if chunk.len() < length + 2 {
            body.extend(&chunk[..chunk.len().min(length)]);
            break;
        }
        body.extend(&chunk[..length]);
        rest = &chunk[length + 2..];
    }
    (body, false)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_finished_ends_in_a_cut_connection() {
    let (house, ..) = fleet().await;
    copies(&house, 1, 20_000).await;
    let token = house.signs_in().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let (stop, stopped) = watch::channel(false);
    let router = dewline::http::router(house.app.clone());
    let server = tokio::spawn(serve(listener, router, stopped, Duration::from_secs(5)));

    let unpacked = |packed: &[u8]| {
        let mut text = Vec::new();
        let read = GzDecoder::new(packed).read_to_end(&mut text);
        (text, read.is_ok())
    };
    let (sound, ended) = body(&bytes(&at, &token, "identity").await);
    assert!(ended && sound.ends_with(b"}"), "the whole of it ends well");
    let (packed, ended) = body(&bytes(&at, &token, "gzip").await);
    let told = serde_json::from_slice::<serde_json::Value>(&unpacked(&packed).0).unwrap();
    assert!(ended && told["data"].as_array().unwrap().len() == 20_003);

    // What stands behind the fifteen thousandth row cannot be read.
    let break_it = |db: &rusqlite::Connection| -> Result<usize, StoreError> {
        Ok(db.execute(
            "UPDATE exposures SET cause = CAST(x'ff' AS TEXT) WHERE id > 15000",
            [],
        )?)
    };
    house.app.store.write(Lane::Back, break_it).await.unwrap();
    let (part, ended) = body(&bytes(&at, &token, "identity").await);
    assert!(!ended, "it is cut");
    assert!(part.len() > 1 << 20 && part.len() < sound.len());
    assert_eq!(part[..1 << 20], sound[..1 << 20], "it had begun well");
    let (part, ended) = body(&bytes(&at, &token, "gzip").await);
    assert!(!ended, "it is cut where it is packed, too");
    assert!(
        !unpacked(&part).1,
        "and what came does not unpack to an end"
    );
    stop.send(true).unwrap();
    assert!(server.await.unwrap());
}
