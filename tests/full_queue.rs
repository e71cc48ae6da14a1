//! More is to be written than can wait: whoever comes then is told when to come again, and nothing of
//! what was sent is taken.

use std::sync::mpsc;

use axum::http::Method;
use dewline::store::{Lane, Settings, StoreError};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::{EMAIL, PASSWORD, Site, TestApp};

/// Holds the writer, with so many writes waiting behind.
struct Held {
    release: mpsc::Sender<()>,
    writes: Vec<JoinHandle<()>>,
}

impl Held {
    async fn by(house: &TestApp, waiting: u64) -> Self {
        let (release, released) = mpsc::channel::<()>();
        let (begun, running) = oneshot::channel();
        let first = write(house, move || {
            begun.send(()).unwrap();
            let _ = released.recv();
        });
        running.await.unwrap();
        let mut writes = vec![first];
        writes.extend((0..waiting).map(|_| write(house, || ())));
        while house.app.store.stats().waiting < waiting {
            tokio::task::yield_now().await;
        }
        Self { release, writes }
    }

    async fn ends(self) {
        drop(self.release);
        for write in self.writes {
            write.await.unwrap();
        }
    }
}

fn write(house: &TestApp, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let app = house.app.clone();
    tokio::spawn(async move {
        let written = app.store.write(Lane::Front, move |_| {
            work();
            Ok::<_, StoreError>(())
        });
        written.await.unwrap();
    })
}

#[tokio::test]
async fn whoever_finds_the_queue_of_writes_full_is_told_when_to_come_again() {
    let settings = Settings {
        queue: 2,
        ..Settings::default()
    };
    let house = TestApp::with_store(settings, |_| ()).await;
    let harbour = house.organization("Harbour").await;
    let site = house.site_of(harbour, "Quay").await;
    site.syncs(&[("token", "1.0.0")]).await;
    let installed = async || {
        let rows = house.admin().get(&site.path("/modules")).await;
        (rows.column("name"), rows.column("installed"))
    };
    let before = installed().await;

    let held = Held::by(&house, 2).await;
    let lock = json!({"packages": [
        {"name": "drupal/core", "version": "11.2.0", "type": "drupal-core"},
    ]});
    let key = || house.bearer(&site.key);
    let refused = [
        site.sends(&Site::inventory(&[("token", "1.0.1")])).await,
        key().post(&site.path("/composer-lock"), &lock).await,
        house
            .admin()
            .post("/organizations", &json!({"name": "Meadow"}))
            .await,
        house.admin().delete(&site.path("")).await,
        house
            .anonymous()
            .post(
                "/auth/login",
                &json!({"email": EMAIL, "password": PASSWORD}),
            )
            .await,
    ];
    for answer in refused {
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert_eq!(answer.header("retry-after"), "1");
        assert!(answer.text.contains("Nothing was changed."));
    }
    // Reading goes on.
    assert_eq!(installed().await, before);
    held.ends().await;

    assert_eq!(installed().await, before);
    let names = house.admin().get("/organizations").await.column("name");
    assert_eq!(names, [json!("Harbour")]);
    site.syncs(&[("token", "1.0.1")]).await;
    let send = house.bearer(&site.key);
    let body = lock.to_string().into_bytes();
    let path = site.path("/composer-lock");
    send.send(Method::POST, &path, Some(body)).await.ok();
    house.proves_itself().await;
}
