//! Histories in which the ledger, its model or its replay once said something else, each cut down to what
//! is needed for it.

use super::fault;
use super::ops::Op;
use super::ops::Runs::{Absent, Odd, Release};

/// Not asked of the model: it doesn't know all that happens.
const WILD: bool = true;

fn cases() -> Vec<(&'static str, bool, Vec<Op>)> {
    let fix = |dated| Op::Publish {
        line: (1, 0),
        security: true,
        dated: Some(dated),
    };
    vec![
        (
            "whoever says nothing of the risk takes back nothing that was said of it",
            !WILD,
            vec![
                fix(-31),
                Op::Advise((1, 0), Some(12)),
                Op::Advise((1, 0), None),
                Op::Sync(2, [Absent, Release(0, 0)]),
            ],
        ),
        (
            "what has no fix and then has one is one window, though its site was deleted meanwhile",
            WILD,
            vec![
                Op::Sync(2, [Absent, Release(0, 0)]),
                Op::AdviseWithoutFix((1, 0), Some(22)),
                Op::Delete(2),
                Op::Wait(30),
                fix(-5),
                Op::Correct((1, 0)),
                Op::Restore(2),
            ],
        ),
        (
            "two windows become one, and the id of the other is never another window's",
            WILD,
            vec![
                fix(-3671),
                Op::Publish {
                    line: (0, 0),
                    security: true,
                    dated: Some(-17),
                },
                Op::Sync(1, [Absent, Release(0, 0)]),
                Op::AdviseWithoutFix((1, 0), Some(17)),
                Op::Correct((1, 0)),
                Op::Sync(1, [Release(0, 0), Release(0, 0)]),
            ],
        ),
        (
            "a window that nobody could open before the site came back opens when it comes back",
            !WILD,
            vec![
                Op::Sync(0, [Absent, Release(0, 0)]),
                Op::Wait(5),
                Op::Sync(0, [Absent, Odd]),
                Op::Wait(5),
                fix(0),
                Op::Wait(5),
                Op::Sync(0, [Absent, Release(0, 0)]),
            ],
        ),
        (
            "a site that comes back to a branch is exposed from then on, not since it left",
            !WILD,
            vec![
                Op::Sync(0, [Absent, Release(0, 0)]),
                fix(0),
                Op::Wait(5),
                Op::Sync(0, [Absent, Release(1, 0)]),
                Op::Wait(5),
                Op::Publish {
                    line: (1, 1),
                    security: true,
                    dated: Some(0),
                },
                Op::Wait(5),
                Op::Sync(0, [Absent, Release(0, 0)]),
            ],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_once_differed_agrees() {
    for (what, wild, ops) in cases() {
        assert_eq!(fault(&ops, wild).await, None, "{what}");
    }
}
