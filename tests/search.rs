//! What `q` finds: the same for whoever sees all, through an index, and for whoever sees one
//! organization, row by row. Names that change are found by what they are now.

use dewline::services::check;
use dewline::store::{Lane, StoreError};
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, module};

/// Sites of one organization, by name and address.
const SITES: [(&str, &str); 8] = [
    ("Ärztehaus Köln", "https://aerzte.example.org"),
    ("Beta 50% off", "https://beta.example.org"),
    ("C", "https://c.example.com:8443/shop"),
    ("Museum_of \"things\"", "https://www.example.org/museum"),
    ("Town hall", "https://townhall.example.net"),
    ("Библиотека", "https://library.example.org"),
    ("Ὀδυσσεύς", "https://odyssey.example.org"),
    ("東京", "https://tokyo.example.org"),
];

/// The text as a query carries it.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn names(answer: &Answer, column: &str) -> Vec<String> {
    let text = |value: Value| value.as_str().unwrap().to_owned();
    answer.column(column).into_iter().map(text).collect()
}

async fn fleet() -> (TestApp, i64) {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let other = house.organization("Meadow").await;
    for (name, url) in SITES {
        let site =
            json!({"name": name, "url": url, "organization_id": harbour, "tags": ["Shop", "eu"]});
        house.admin().post("/sites", &site).await.created();
    }
    house.site_of(other, "Quay").await;
    (house, harbour)
}

#[tokio::test]
async fn a_search_finds_a_part_of_a_name_or_an_address_whatever_its_case() {
    let (house, harbour) = fleet().await;
    let key = house.key(harbour, &["sites:read"]).await;
    for (q, expected) in [
        ("town hall", &["Town hall"][..]),
        ("  WN HA ", &["Town hall"]),
        ("hall", &["Town hall"]),
        ("all town", &[]),
        // Umlauts and other alphabets, small and large.
        ("ärzte", &["Ärztehaus Köln"]),
        ("KÖLN", &["Ärztehaus Köln"]),
        ("koln", &[]),
        ("БИБЛИО", &["Библиотека"]),
        ("ὀδυσ", &["Ὀδυσσεύς"]),
        // What other searches give a meaning to is only itself here.
        ("50%", &["Beta 50% off"]),
        ("5%f", &[]),
        ("museum_of", &["Museum_of \"things\""]),
        ("museum of", &[]),
        ("\"things\"", &["Museum_of \"things\""]),
        ("town OR beta", &[]),
        ("tow*", &[]),
        ("name:town", &[]),
        ("'; DROP TABLE sites; --", &[]),
        // Parts of addresses.
        ("townhall.example", &["Town hall"]),
        (":8443/SHOP", &["C"]),
        ("org/museum", &["Museum_of \"things\""]),
        // One letter or two, wherever they stand.
        ("wn", &["Town hall"]),
        ("LL", &["Town hall"]),
        ("%", &["Beta 50% off"]),
        ("_", &["Museum_of \"things\""]),
        ("\"", &["Museum_of \"things\""]),
        ("Ä", &["Ärztehaus Köln"]),
        ("ÖL", &["Ärztehaus Köln"]),
        ("京", &["東京"]),
        ("東京", &["東京"]),
        ("43", &["C"]),
        ("f", &["Beta 50% off", "Museum_of \"things\""]),
        ("op", &["C"]),
        ("zq", &[]),
    ] {
        let path = format!("/sites?q={}", encoded(q));
        let apart = format!("{path}&filter[organization_id]={harbour}");
        let asked = [
            house.admin().get(&path).await,
            house.admin().get(&apart).await,
            house.bearer(&key).get(&path).await,
        ];
        for answer in asked {
            assert_eq!(names(&answer, "name"), expected, "{q}");
            assert_eq!(
                answer.ok()["meta"]["pagination"]["total"],
                expected.len(),
                "{q}"
            );
        }
    }
    let long = "ä".repeat(255);
    let answer = house
        .admin()
        .get(&format!("/sites?q={}", encoded(&long)))
        .await;
    assert_eq!(names(&answer, "name"), [""; 0]);
}

#[tokio::test]
async fn a_search_is_joined_with_filters_and_comes_in_the_order_asked_for() {
    let (house, _) = fleet().await;
    for (question, expected) in [
        ("q=example.net&sort=-name", &["Town hall"][..]),
        ("q=ee&sort=-id", &[]),
        ("q=com&filter[environment]=staging", &[]),
        ("q=com&filter[tags]=EU", &["C"]),
        (
            "q=org&sort=last_sync_at&per_page=2",
            &["Ärztehaus Köln", "Beta 50% off"],
        ),
        (
            "q=org&sort=-created_at&per_page=2&page=2",
            &["Ὀδυσσεύς", "Библиотека"],
        ),
    ] {
        let answer = house.admin().get(&format!("/sites?{question}")).await;
        assert_eq!(names(&answer, "name"), expected, "{question}");
    }
}

#[tokio::test]
async fn what_was_renamed_is_found_by_its_new_name_alone() {
    let (house, _) = fleet().await;
    let found = async |question: &str| {
        let answer = house.admin().get(&format!("/sites?{question}")).await;
        names(&answer, "name")
    };
    let town = house.admin().get("/sites?q=town").await.ok()["data"][0]["id"].clone();
    let path = format!("/sites/{town}");
    let changes =
        json!({"name": "Guildhall", "url": "https://guild.example.net", "tags": ["shop", "Old"]});
    house.admin().put(&path, &changes).await.ok();
    for gone in ["q=town", "q=wn", "q=townhall.example"] {
        assert_eq!(found(gone).await, [""; 0], "{gone}");
    }
    for there in [
        "q=guildh",
        "q=gu",
        "q=guild.example.net",
        "filter[tags]=old",
    ] {
        assert_eq!(found(there).await, ["Guildhall"], "{there}");
    }
    assert_eq!(found("filter[tags]=SHOP").await.len(), 8);
    assert_eq!(found("filter[tags]=eu").await.len(), 7);
    assert_eq!(found("filter[tags][ne]=eu").await, ["Guildhall", "Quay"]);
    assert_eq!(found("filter[tags][contains]=ol").await, ["Guildhall"]);
    assert_eq!(found("filter[tags][in]=old,none").await, ["Guildhall"]);
    house.admin().delete(&path).await;
    assert_eq!(found("q=guild").await, [""; 0]);
    assert_eq!(found("filter[tags]=old").await, [""; 0]);
    house.proves_itself().await;
}

#[tokio::test]
async fn modules_are_found_by_their_name_and_by_the_title_they_have_now() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let site = house.site_of(harbour, "Town hall").await;
    house.publishes(module("token"));
    site.syncs(&[("token", "1.0.0"), ("views_bulk", "1.0.0")])
        .await;
    let key = house.key(harbour, &["modules:read"]).await;
    let found = async |q: &str| {
        let path = format!("/modules?q={}", encoded(q));
        let all = names(&house.admin().get(&path).await, "module_name");
        let own = names(&house.bearer(&key).get(&path).await, "module_name");
        assert_eq!(all, own, "{q}");
        all
    };
    assert_eq!(found("OKE").await, ["token"]);
    assert_eq!(found("ok").await, ["token"]);
    assert_eq!(found("s_b").await, ["views_bulk"]);
    let token = house.admin().get("/modules?q=token").await.ok()["data"][0]["id"].clone();
    let title = json!({"title": "Platzhalter für Text"});
    let path = format!("/modules/{token}");
    house.admin().put(&path, &title).await.ok();
    assert_eq!(found("FÜR").await, ["token"]);
    assert_eq!(found("lk").await, ["views_bulk"]);
    // drupal.org has the last word on the title.
    house.run_jobs().await;
    assert_eq!(found("für").await, [""; 0]);
    assert_eq!(found("token").await, ["token"]);
    house.proves_itself().await;
}

/// The letters that have another case, as their place in the alphabets of the world has it.
fn letters() -> Vec<char> {
    let cased = |letter: &char| {
        let mut forms = letter.to_lowercase().chain(letter.to_uppercase());
        forms.any(|form| form != *letter)
    };
    ('A'..='\u{1FFFF}').filter(cased).collect()
}

/// The other case, where it is one letter.
fn other(text: &str, forms: impl Fn(char) -> Vec<char>) -> String {
    let single = |letter: char| match forms(letter).as_slice() {
        [form] => *form,
        _ => letter,
    };
    text.chars().map(single).collect()
}

#[tokio::test]
async fn every_letter_is_found_in_either_case_by_whoever_asks() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let key = house.key(harbour, &["sites:read"]).await;
    let letters = letters();
    assert!(letters.len() > 2_500, "{}", letters.len());
    for part in letters.chunks(50) {
        let name: String = part.iter().collect();
        let site =
            json!({"name": name, "url": "https://www.example.org", "organization_id": harbour});
        house.admin().post("/sites", &site).await.created();
    }
    for part in letters.chunks(50) {
        let name: String = part.iter().collect();
        for q in [
            name.clone(),
            other(&name, |letter| letter.to_lowercase().collect()),
            other(&name, |letter| letter.to_uppercase().collect()),
        ] {
            let path = format!("/sites?q={}", encoded(&q));
            let found = names(&house.admin().get(&path).await, "name");
            let own = names(&house.bearer(&key).get(&path).await, "name");
            assert_eq!(found, own, "{q}");
            assert!(found.contains(&name), "{q}");
            let path = format!("/sites?filter[name][starts_with]={}", encoded(&q));
            let begin = names(&house.admin().get(&path).await, "name");
            assert!(begin.contains(&name), "{q}");
        }
    }
    house.proves_itself().await;
}

#[tokio::test]
async fn a_filter_by_a_part_of_a_text_minds_no_case_either() {
    let (house, _) = fleet().await;
    for (filter, value, expected) in [
        ("name][contains", "KÖL", &["Ärztehaus Köln"][..]),
        ("name][contains", "50%", &["Beta 50% off"]),
        ("name][contains", "5%f", &[]),
        ("name][contains", "m_o", &["Museum_of \"things\""]),
        ("name][contains", "ΟΔΥΣΣΕΥΣ", &[]),
        ("name][contains", "ΔΥΣΣ", &["Ὀδυσσεύς"]),
        ("name][starts_with", "ärzte", &["Ärztehaus Köln"]),
        ("name][starts_with", "библ", &["Библиотека"]),
        ("name][starts_with", "köln", &[]),
        ("name][starts_with", "_useum", &[]),
        ("url][contains", ":8443/SHOP", &["C"]),
        ("url][starts_with", "HTTPS://BETA", &["Beta 50% off"]),
    ] {
        let path = format!("/sites?filter[{filter}]={}", encoded(value));
        let answer = house.admin().get(&path).await;
        assert_eq!(names(&answer, "name"), expected, "{filter} {value}");
    }
}

#[tokio::test]
async fn what_many_sites_have_is_found_in_the_order_asked_for_too() {
    let (house, harbour) = fleet().await;
    let many = house.app.store.write(Lane::Front, move |db| {
        db.execute_batch(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 2200)
             INSERT INTO sites (id, organization_id, name, environment, status, created_at, updated_at, created_by, updated_by)
               SELECT i, {harbour}, printf('Wharf %04d', i * 7919 % 10000), 'production', i % 3, 0, 0, 'system', 'system' FROM n;
             INSERT INTO site_contacts (site_id, last_sync_at) SELECT id, id % 5 FROM sites WHERE id >= 100;"
        ))
        .map_err(StoreError::from)
    });
    many.await.unwrap();
    for q in ["w", "HA", "wharf", "arf 0", "f 77"] {
        for sort in ["name", "-name", "status", "last_sync_at", "-created_at"] {
            let path = format!("/sites?q={}&sort={sort}&per_page=10&page=2", encoded(q));
            let found = house.admin().get(&path).await;
            let apart = format!("{path}&filter[organization_id]={harbour}");
            let apart = house.admin().get(&apart).await;
            assert_eq!(names(&found, "name"), names(&apart, "name"), "{path}");
            assert_eq!(
                found.ok()["meta"]["pagination"]["total"],
                apart.ok()["meta"]["pagination"]["total"],
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_name_that_changed_behind_the_index_does_not_pass_the_check() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let quay = house.site_of(harbour, "Quay").await;
    quay.syncs(&[("token", "1.0.0")]).await;
    house.site_of(harbour, "Alpha").await;
    let tampered = house.app.store.write(Lane::Front, |db| {
        db.execute_batch(
            "DROP TRIGGER sites_renamed; UPDATE sites SET name = 'Bravo' WHERE name = 'Alpha';
             DELETE FROM modules_search WHERE rowid = (SELECT id FROM modules WHERE name = 'token');",
        )
        .map_err(StoreError::from)
    });
    tampered.await.unwrap();
    let findings = check::run(&house.app.config, false).await.unwrap();
    let wrong: Vec<_> = findings
        .into_iter()
        .flat_map(|finding| finding.wrong)
        .collect();
    assert_eq!(
        wrong,
        [
            "2 name: kept alpha, right is bravo",
            "2 name: kept nothing, right is token"
        ]
    );
}
