//! Asking drupal.org: what goes out, what comes back, and what a bad answer becomes.

use std::num::NonZeroU32;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use dewline::clock::{Clock, ManualClock};
use dewline::demo::drupal_org::{Behaviour, StandIn};
use dewline::demo::history::{Project, Release};
use dewline::outbound::drupal_org::{Client, Feed, FetchRequest, Fetched, Limits, Settings};
use jiff::{SignedDuration, Timestamp};

const MIB: usize = 1024 * 1024;

/// The machine's time stands still until it is moved, also while answers are on their way.
struct StillTime {
    _holds: mpsc::Sender<()>,
}

impl StillTime {
    fn begin() -> Self {
        let (holds, held) = mpsc::channel::<()>();
        // A paused clock runs ahead when nobody works, and waiting for the network is no work: this is.
        tokio::task::spawn_blocking(move || held.recv());
        tokio::time::pause();
        Self { _holds: holds }
    }

    async fn moves(&self, millis: u64) {
        tokio::time::advance(Duration::from_millis(millis)).await;
    }
}

struct Wire {
    clock: Arc<ManualClock>,
    drupal_org: StandIn,
    client: Client,
}

impl Wire {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let start: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::at(start));
        let drupal_org = StandIn::start(clock.clone()).await.unwrap();
        drupal_org.put(
            Project::new("rope", "Rope", "project_module", &["1.0."])
                .with(Release::new("1.0.0", 1_700_000_000)),
        );
        let mut settings = Settings::new(drupal_org.release_history_url().parse().unwrap());
        settings.requests_per_second = NonZeroU32::new(10_000).unwrap();
        settings.limits = Limits {
            on_the_wire: MIB,
            unpacked: 2 * MIB,
        };
        change(&mut settings);
        let client = Client::new(settings, clock.clone());
        Self {
            clock,
            drupal_org,
            client,
        }
    }

    async fn asks(&self, project: &str) -> Fetched {
        self.asks_again(project, None, None).await
    }

    async fn asks_again(
        &self,
        project: &str,
        etag: Option<String>,
        modified: Option<String>,
    ) -> Fetched {
        let request = FetchRequest {
            project: project.to_owned(),
            etag,
            last_modified: modified,
        };
        self.client.fetch(request).await
    }

    /// Another line asks and is answered: by then all that was sent before has come.
    async fn is_passed_by_a_neighbour(&self) {
        let url = self.drupal_org.release_history_url().parse().unwrap();
        let request = FetchRequest {
            project: "neighbour".to_owned(),
            etag: None,
            last_modified: None,
        };
        let neighbour = Client::new(Settings::new(url), self.clock.clone());
        assert_eq!(neighbour.fetch(request).await, Fetched::Absent);
    }

    /// How often it was asked about this project, since this was last asked.
    fn asked(&self, project: &str) -> usize {
        let all = self.drupal_org.take_requests();
        all.iter().filter(|asked| asked.project == project).count()
    }

    async fn fails(&self, project: &str) -> String {
        match self.asks(project).await {
            Fetched::Failed { reason, .. } | Fetched::Unreadable { reason } => reason,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_request_says_who_asks_and_nothing_else() {
    let wire = Wire::new().await;
    wire.asks("rope").await;
    let [asked] = wire.drupal_org.take_requests().try_into().unwrap();
    assert_eq!(asked.path, "/release-history/rope/current");
    assert_eq!(asked.at, wire.clock.now());
    let mut names: Vec<_> = asked.headers.iter().map(|(n, _)| n.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
    assert_eq!(asked.header("accept"), Some("text/xml"));
    assert_eq!(asked.header("accept-encoding"), Some("gzip"));
    let agent = asked.header("user-agent").unwrap();
    assert!(agent.starts_with(concat!("Dewline/", env!("CARGO_PKG_VERSION"), " (")));
}

#[tokio::test]
async fn a_document_comes_unpacked_with_validators_that_bring_a_304() {
    let wire = Wire::new().await;
    let Fetched::Document {
        history,
        etag,
        last_modified,
    } = wire.asks("rope").await
    else {
        panic!("no document");
    };
    assert_eq!(history.title.as_deref(), Some("Rope"));
    assert_eq!(history.releases[0].version(), Some("1.0.0"));
    assert_eq!(
        last_modified.as_deref(),
        Some("Tue, 24 Nov 2026 10:00:00 GMT")
    );

    let again = wire
        .asks_again("rope", etag.clone(), last_modified.clone())
        .await;
    assert_eq!(again, Fetched::NotModified);
    assert_eq!(
        wire.asks_again("rope", None, last_modified.clone()).await,
        Fetched::NotModified
    );

    wire.clock.advance(SignedDuration::from_mins(1));
    wire.drupal_org
        .publish("rope", Release::security("1.0.1", 1_800_000_000));
    let changed = wire.asks_again("rope", etag, last_modified).await;
    assert!(matches!(changed, Fetched::Document { .. }));
}

#[tokio::test]
async fn validators_are_optional_and_a_304_that_nobody_asked_for_is_a_failure() {
    let wire = Wire::new().await;
    wire.drupal_org
        .set_behaviour_for_all(Behaviour::WithoutValidators);
    let answer = wire
        .asks_again("rope", Some("\"old\"".to_owned()), None)
        .await;
    assert!(matches!(
        answer,
        Fetched::Document {
            etag: None,
            last_modified: None,
            ..
        }
    ));
    // What can't stand in a header isn't sent.
    let answer = wire
        .asks_again("rope", Some("line\nbreak".to_owned()), None)
        .await;
    assert!(matches!(answer, Fetched::Document { .. }));

    wire.drupal_org
        .set_behaviour_for_all(Behaviour::Status(304, None));
    assert_eq!(wire.fails("rope").await, "answered 304");
}

#[tokio::test]
async fn a_name_that_drupal_org_does_not_know_is_absent_although_it_answers_200() {
    let wire = Wire::new().await;
    assert_eq!(wire.asks("town_hall_custom").await, Fetched::Absent);
    assert_eq!(wire.drupal_org.take_requests()[0].answered, 200);
}

#[tokio::test]
async fn names_that_cannot_be_projects_are_never_sent() {
    let wire = Wire::new().await;
    for name in ["", "Rope", "../rope", "rope?x=1", "vendor/name", "ro pe"] {
        assert_eq!(
            wire.fails(name).await,
            "not a name that drupal.org could know"
        );
    }
    assert_eq!(wire.drupal_org.take_requests(), []);
}

#[tokio::test]
async fn every_misbehaviour_has_words_of_its_own() {
    let wire = Wire::new().await;
    let elsewhere = "http://localhost:9/release-history/rope/current".to_owned();
    for (behaviour, reason) in [
        (Behaviour::Partial, "the answer broke off"),
        (
            Behaviour::WebPage,
            "a web page instead of a release history",
        ),
        (
            Behaviour::Complaint,
            "drupal.org did not understand the request",
        ),
        (
            Behaviour::OtherProject,
            "the release history of another project",
        ),
        (
            Behaviour::BrokenXml,
            "not a release history, or a broken one",
        ),
        (Behaviour::Entities, "a document that declares entities"),
        (Behaviour::Empty, "an empty answer"),
        (Behaviour::Huge(3 * MIB), "larger than 1 MiB"),
        (Behaviour::GzipBomb(100 * MIB), "larger than 2 MiB"),
        (Behaviour::BrokenGzip, "could not be unpacked"),
        (Behaviour::Status(500, None), "answered 500"),
        (Behaviour::Status(503, None), "answered 503"),
        (Behaviour::Status(404, None), "answered 404"),
        (Behaviour::Redirect(elsewhere), "answered 302"),
    ] {
        wire.drupal_org
            .set_behaviour("rope", Some(behaviour.clone()));
        assert_eq!(wire.fails("rope").await, reason, "{behaviour:?}");
    }
    wire.drupal_org
        .set_behaviour("rope", Some(Behaviour::Absent));
    assert_eq!(wire.asks("rope").await, Fetched::Absent);
    wire.drupal_org.set_behaviour("rope", None);
    assert!(matches!(wire.asks("rope").await, Fetched::Document { .. }));
}

#[tokio::test]
async fn silence_ends_with_the_time_that_is_given() {
    let wire = Arc::new(Wire::new().await);
    let time = StillTime::begin();
    wire.drupal_org
        .set_behaviour("rope", Some(Behaviour::Silent));
    let asking = Arc::clone(&wire);
    let asking = tokio::spawn(async move { asking.fails("rope").await });
    wire.drupal_org.until_held(1).await;
    time.moves(29_990).await;
    wire.is_passed_by_a_neighbour().await;
    assert!(!asking.is_finished());
    time.moves(20).await;
    wire.is_passed_by_a_neighbour().await;
    assert!(asking.is_finished(), "nobody waits longer");
    assert_eq!(asking.await.unwrap(), "took too long to answer");
}

#[tokio::test]
async fn nobody_at_home_is_said_in_words() {
    let mut wire = Wire::new().await;
    let clock = wire.clock.clone();
    wire.client = Client::new(
        Settings::new("http://127.0.0.1:1/x".parse().unwrap()),
        clock,
    );
    assert_eq!(wire.fails("rope").await, "could not be reached");
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed_but_not_for_ever() {
    let wire = Wire::new().await;
    let to = |project: &str| {
        format!(
            "{}/{project}/current",
            wire.drupal_org.release_history_url()
        )
    };
    let moved = Project::new("ladder", "Ladder", "project_module", &["1.0."]);
    wire.drupal_org.put_document("ladder_new", moved.to_xml());
    wire.drupal_org
        .set_behaviour("ladder", Some(Behaviour::Redirect(to("ladder_new"))));
    assert!(matches!(
        wire.asks("ladder").await,
        Fetched::Document { .. }
    ));
    wire.drupal_org
        .set_behaviour("circle", Some(Behaviour::Redirect(to("circle"))));
    wire.drupal_org.take_requests();
    assert_eq!(wire.fails("circle").await, "answered 302");
    assert_eq!(wire.drupal_org.take_requests().len(), 4);
}

#[tokio::test]
async fn being_told_to_wait_stops_everything_until_then() {
    let wire = Wire::new().await;
    for (wait, seconds) in [
        (Some("90".to_owned()), 90),
        (Some("Tue, 24 Nov 2026 10:30:00 GMT".to_owned()), 1710),
        (None, 60),
    ] {
        wire.drupal_org
            .set_behaviour_for_all(Behaviour::TooMany(wait));
        assert_eq!(wire.fails("rope").await, "answered 429");
        wire.drupal_org.set_behaviour_for_all(Behaviour::Normal);
        wire.drupal_org.take_requests();

        let until = wire.clock.now() + SignedDuration::from_secs(seconds);
        assert_eq!(wire.client.paused_until(), Some(until));
        let expected = Fetched::Failed {
            reason: "drupal.org asked us to wait".to_owned(),
            retry_after: Some(Duration::from_secs(seconds.unsigned_abs())),
        };
        assert_eq!(wire.asks("ladder").await, expected);
        assert_eq!(wire.drupal_org.take_requests(), []);

        wire.clock.set(until);
        assert_eq!(wire.client.paused_until(), None);
        assert!(matches!(wire.asks("rope").await, Fetched::Document { .. }));
    }
    // A 503 without a time speaks for one moment only.
    wire.drupal_org
        .set_behaviour_for_all(Behaviour::Status(503, Some("30".to_owned())));
    wire.fails("rope").await;
    assert!(wire.client.paused_until().is_some());
}

#[tokio::test]
async fn at_most_four_are_asked_at_once() {
    let wire = Arc::new(Wire::new().await);
    wire.drupal_org.set_behaviour("rope", Some(Behaviour::Held));
    let asking: Vec<_> = (0..12)
        .map(|_| {
            let wire = Arc::clone(&wire);
            tokio::spawn(async move { wire.asks("rope").await })
        })
        .collect();
    for left in (1..=asking.len()).rev() {
        wire.drupal_org.until_held(left.min(4)).await;
        wire.is_passed_by_a_neighbour().await;
        assert_eq!(wire.drupal_org.held(), left.min(4));
        wire.drupal_org.let_go(1);
    }
    for one in asking {
        assert!(matches!(one.await.unwrap(), Fetched::Document { .. }));
    }
}

#[tokio::test]
async fn the_pace_is_kept() {
    let wire = Arc::new(Wire::with(|s| s.requests_per_second = NonZeroU32::new(2).unwrap()).await);
    let time = StillTime::begin();
    let asks = || {
        let wire = Arc::clone(&wire);
        tokio::spawn(async move { wire.asks("rope").await })
    };
    asks().await.unwrap();
    // What wasn't asked for a while is no credit.
    time.moves(10_000).await;
    asks().await.unwrap();
    assert_eq!(wire.asked("rope"), 2);
    let three = [asks(), asks(), asks()];
    for asking in three {
        time.moves(490).await;
        wire.is_passed_by_a_neighbour().await;
        assert_eq!(wire.asked("rope"), 0, "before its turn");
        time.moves(12).await;
        asking.await.unwrap();
        assert_eq!(wire.asked("rope"), 1);
    }
}

#[tokio::test]
async fn the_stand_in_serves_a_fleet_of_projects() {
    let wire = Wire::new().await;
    for n in 0..150 {
        let mut project = Project::new(&format!("p{n}"), "P", "project_module", &["1.0."]);
        for patch in 0..40 {
            project.publish(Release::new(&format!("1.0.{patch}"), 1_600_000_000 + patch));
        }
        wire.drupal_org.put(project);
    }
    for n in 0..150 {
        assert!(matches!(
            wire.asks(&format!("p{n}")).await,
            Fetched::Document { .. }
        ));
    }
}
