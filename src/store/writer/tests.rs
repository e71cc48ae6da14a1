//! The writer's promises, on a real file.

use std::sync::Arc;
use std::sync::mpsc;

use tempfile::TempDir;

use super::super::{Settings, Store, StoreError};
use super::*;

struct Kept {
    store: Arc<Store>,
    file: std::path::PathBuf,
    _folder: TempDir,
}

fn kept(queue: usize) -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dewline.db");
    let settings = Settings {
        queue,
        ..Settings::default()
    };
    Kept {
        store: Arc::new(Store::open(&file, settings).unwrap()),
        file,
        _folder: folder,
    }
}

fn put(db: &Connection, name: &str) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO settings (name, value, updated_at) VALUES (?1, '', 0)",
        [name],
    )?;
    Ok(())
}

fn is_on_disk(file: &std::path::Path, name: &str) -> bool {
    Connection::open(file)
        .unwrap()
        .query_row(
            "SELECT count(*) FROM settings WHERE name = ?1",
            [name],
            |row| row.get(0),
        )
        .unwrap()
}

/// Holds the writer until told otherwise, so that what comes after it waits together.
fn hold(store: &Arc<Store>) -> (mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
    let (release, wait) = mpsc::channel::<()>();
    let (started, running) = mpsc::channel::<()>();
    let store = Arc::clone(store);
    let task = tokio::spawn(async move {
        store
            .write(Lane::Front, move |_| {
                started.send(()).unwrap();
                let _ = wait.recv();
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
    });
    tokio::task::block_in_place(|| running.recv().unwrap());
    (release, task)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_given_only_after_its_commit_has_returned() {
    let kept = kept(4096);
    let callers: Vec<_> = (0..200)
        .map(|number| {
            let (store, file) = (Arc::clone(&kept.store), kept.file.clone());
            tokio::spawn(async move {
                let name = format!("row {number}");
                let mine = name.clone();
                store
                    .write(Lane::Front, move |db| put(db, &mine))
                    .await
                    .unwrap();
                // Another connection sees committed rows only.
                assert!(is_on_disk(&file, &name), "{name} was answered too early");
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_callers_share_commits() {
    let kept = kept(4096);
    let (release, held) = hold(&kept.store);
    let callers: Vec<_> = (0..64)
        .map(|number| {
            let store = Arc::clone(&kept.store);
            tokio::spawn(async move {
                store
                    .write(Lane::Front, move |db| put(db, &number.to_string()))
                    .await
                    .unwrap();
            })
        })
        .collect();
    while kept.store.stats().waiting < 64 {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    for caller in callers {
        caller.await.unwrap();
    }
    held.await.unwrap();
    let stats = kept.store.stats();
    assert_eq!(stats.answers, 65);
    assert_eq!(stats.commits, 2, "one that held, one for all that waited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_is_rolled_back_alone_and_hears_only_of_itself() {
    let kept = kept(4096);
    let (release, held) = hold(&kept.store);
    let write = |name: &'static str, fails: bool| {
        let store = Arc::clone(&kept.store);
        tokio::spawn(async move {
            store
                .write(Lane::Front, move |db| {
                    put(db, name)?;
                    if fails {
                        put(db, name)?;
                    }
                    Ok::<_, StoreError>(())
                })
                .await
        })
    };
    let (good, bad, also_good) = (write("a", false), write("b", true), write("c", false));
    while kept.store.stats().waiting < 3 {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    held.await.unwrap();
    assert!(good.await.unwrap().is_ok());
    assert!(bad.await.unwrap().unwrap_err().is_constraint());
    assert!(also_good.await.unwrap().is_ok());
    let there: Vec<bool> = ["a", "b", "c"]
        .iter()
        .map(|name| is_on_disk(&kept.file, name))
        .collect();
    assert_eq!(there, [true, false, true]);
    assert_eq!(kept.store.stats().commits, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_writes_without_savepoints_too_one_that_fails_is_rolled_back_alone() {
    let kept = kept(4096);
    let (release, held) = hold(&kept.store);
    let write = |name: &'static str, twice: bool| {
        let store = Arc::clone(&kept.store);
        tokio::spawn(async move {
            store
                .write_repeatable(Lane::Front, move |db| {
                    put(db, name)?;
                    if twice { put(db, name) } else { Ok(()) }
                })
                .await
        })
    };
    let (good, bad, also_good) = (write("a", false), write("b", true), write("c", false));
    while kept.store.stats().waiting < 3 {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    held.await.unwrap();
    assert!(good.await.unwrap().is_ok());
    assert!(bad.await.unwrap().unwrap_err().is_constraint());
    assert!(also_good.await.unwrap().is_ok());
    let there = ["a", "b", "c"].map(|name| is_on_disk(&kept.file, name));
    assert_eq!(there, [true, false, true]);
    assert_eq!(kept.store.stats().commits, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_code_fails_leaves_the_writer_alive() {
    let kept = kept(4096);
    let fallen = kept
        .store
        .write(Lane::Front, |db| {
            put(db, "half")?;
            if is_on_disk(std::path::Path::new(db.path().unwrap()), "half") {
                return Ok(());
            }
            panic!("a fault of ours")
        })
        .await;
    assert!(
        matches!(fallen, Err(StoreError::Panicked(words)) if words.contains("a fault of ours"))
    );
    assert!(!is_on_disk(&kept.file, "half"));
    kept.store
        .write(Lane::Front, |db| put(db, "next"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_and_takes_again_when_there_is_room() {
    let kept = kept(2);
    let (release, held) = hold(&kept.store);
    let waiting: Vec<_> = (0..2)
        .map(|number| {
            let store = Arc::clone(&kept.store);
            tokio::spawn(async move {
                store
                    .write(Lane::Front, move |db| put(db, &number.to_string()))
                    .await
            })
        })
        .collect();
    while kept.store.stats().waiting < 2 {
        tokio::task::yield_now().await;
    }
    let refused = kept.store.write(Lane::Front, |db| put(db, "x")).await;
    assert!(matches!(refused, Err(StoreError::Full)));
    release.send(()).unwrap();
    held.await.unwrap();
    for write in waiting {
        write.await.unwrap().unwrap();
    }
    kept.store
        .write(Lane::Front, |db| put(db, "x"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_front_goes_before_what_waits_behind() {
    let kept = kept(4096);
    let (release, held) = hold(&kept.store);
    let (tell, order) = mpsc::channel();
    let write = |lane: Lane, word: &'static str| {
        let (store, tell) = (Arc::clone(&kept.store), tell.clone());
        tokio::spawn(async move {
            store
                .write(lane, move |_| {
                    tell.send(word).unwrap();
                    Ok::<_, StoreError>(())
                })
                .await
                .unwrap();
        })
    };
    let mut tasks = vec![write(Lane::Back, "behind")];
    while kept.store.stats().waiting < 1 {
        tokio::task::yield_now().await;
    }
    tasks.push(write(Lane::Front, "in front"));
    while kept.store.stats().waiting < 2 {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    held.await.unwrap();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["in front", "behind"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_finishes_what_waits_and_refuses_what_comes_later() {
    let kept = kept(4096);
    let (release, held) = hold(&kept.store);
    let store = Arc::clone(&kept.store);
    let waiting = tokio::spawn(async move { store.write(Lane::Front, |db| put(db, "last")).await });
    while kept.store.stats().waiting < 1 {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    held.await.unwrap();
    waiting.await.unwrap().unwrap();
    kept.store.close();
    assert!(is_on_disk(&kept.file, "last"));
    let late = kept.store.write(Lane::Front, |db| put(db, "late")).await;
    assert!(matches!(late, Err(StoreError::Closed)));
}

#[test]
fn a_reader_cannot_write() {
    let kept = kept(16);
    let tried = kept.store.read(|db| put(db, "sneaked in"));
    assert!(tried.is_err());
    assert!(!is_on_disk(&kept.file, "sneaked in"));
}

#[test]
fn a_database_of_a_newer_dewline_is_refused_in_words() {
    let kept = kept(16);
    let file = kept.file.clone();
    kept.store.close();
    Connection::open(&file)
        .unwrap()
        .execute(
            "INSERT INTO refinery_schema_history VALUES (999, 'future', '', '0')",
            [],
        )
        .unwrap();
    let refused = Store::open(&file, Settings::default()).unwrap_err();
    assert!(refused.to_string().contains("newer Dewline"));
}
