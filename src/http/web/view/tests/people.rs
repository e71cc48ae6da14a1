//! People, members, roles, invitations and messages with believable content.

use super::*;
use crate::domain::access::Permission;
use crate::http::web::view::people::{
    InvitationFields, InvitationPage, InvitePage, MemberPage, MemberRow, MembersPage,
    MembershipRow, MessageRow, NewLink, NotificationsPage, OpenedInvitation, OwnOrganizationsPage,
    RoleChoice, UserFields, UserPage, UserRow, UsersPage,
};
use crate::http::web::view::roles::{GridRow, RoleColumn, RolePage, RolesPage, Tick};

fn of(organization: &str, role: &str) -> MembershipRow {
    MembershipRow {
        organization_id: 3,
        organization: organization.into(),
        role: role.into(),
    }
}

fn user(name: &str, invited: bool) -> UserRow {
    UserRow {
        id: 7,
        name: name.into(),
        email: "mara.lindqvist@oberwalden.example".into(),
        invited,
        until: invited.then(|| ago(-90.0)),
        platform: !invited,
        two_factor: !invited,
        seen: (!invited).then(|| ago(3.0)),
        memberships: vec![
            of("Gemeinde Oberwalden", "admin"),
            of("Stiftung Seeblick", "Look only at reports"),
        ],
    }
}

fn member(name: &str, invited: bool) -> MemberRow {
    MemberRow {
        id: 7,
        name: name.into(),
        email: "mara.lindqvist@oberwalden.example".into(),
        role: "manager".into(),
        invited,
        until: invited.then(|| ago(2.0)),
        two_factor: !invited,
    }
}

fn link() -> Option<NewLink> {
    Some(NewLink {
        name: "Mara Lindqvist".into(),
        link:
            "https://dewline.example/invitation?token=Zl3hQ0y7kM2sX9bT4vR8nP1cW6dF5gJ0aE2uI7oS9qL"
                .into(),
    })
}

fn form(organizations: bool) -> InvitationFields {
    let choices = [
        Choice::new("3", "Gemeinde Oberwalden", "3"),
        Choice::new("", "None yet", "3"),
    ];
    InvitationFields {
        name: "Mara".into(),
        email: "mara@".into(),
        organizations: choices.into_iter().filter(|_| organizations).collect(),
        roles: vec![
            Choice::new("3", "viewer", "3"),
            Choice::new("1", "admin", "3"),
        ],
        faults: vec![(
            "email".into(),
            "This is not an e-mail address such as name@example.org.".into(),
        )],
    }
}

fn opened(signed_in: Option<&str>) -> Option<OpenedInvitation> {
    Some(OpenedInvitation {
        email: "mara@oberwalden.example".into(),
        memberships: vec![of("Gemeinde Oberwalden", "viewer")],
        signed_in: signed_in.map(Into::into),
        name: "Mara Lindqvist".into(),
        time_zone: "Europe/Vienna".into(),
        zones: vec!["Europe/Vienna".into(), "UTC".into()],
        faults: vec![("password".into(), "This password is easy to guess.".into())],
    })
}

fn invitation(opened: Option<OpenedInvitation>) -> askama::Result<String> {
    InvitationPage {
        again: "/invitation?token=abc".into(),
        shell: gate("Invitation"),
        token: "t".into(),
        sign_in: "/sign-in?next=%2Finvitation%3Ftoken%3Dt".into(),
        opened,
    }
    .render()
}

fn role(id: Option<i64>, may: bool) -> askama::Result<String> {
    let tick = |permission: &Permission| Tick {
        word: permission.word(),
        does: permission.does(),
        held: *permission < Permission::SitesDelete,
        may: *permission != Permission::AuditRead,
    };
    RolePage {
        shell: shell("Editor", "/roles/4"),
        id,
        whose: "Gemeinde Oberwalden".into(),
        may,
        why_not: if may {
            ""
        } else {
            "A built-in role stays as it is."
        }
        .into(),
        name: "Editor".into(),
        description: "Looks after sites and nothing else".into(),
        organizations: vec![Choice::new("3", "Gemeinde Oberwalden", "3")],
        ticks: Permission::ALL.iter().map(tick).collect(),
        members: u64::from(!may),
        faults: vec![("name".into(), "There is a role of that name.".into())],
    }
    .render()
}

fn roles() -> askama::Result<String> {
    let column = |name: &str, whose: &str| RoleColumn {
        id: 4,
        name: name.into(),
        whose: whose.into(),
        description: String::new(),
        members: 3,
    };
    RolesPage {
        shell: shell("Roles", "/roles"),
        columns: vec![
            column("admin", "built in"),
            column("viewer", "built in"),
            column("Editor", "Gemeinde Oberwalden"),
        ],
        rows: Permission::ALL
            .iter()
            .map(|permission| GridRow {
                word: permission.word(),
                does: permission.does(),
                held: vec![true, *permission == Permission::SitesRead, false],
            })
            .collect(),
    }
    .render()
}

pub(super) fn pages() -> Pages {
    let users = |rows: Vec<UserRow>| UsersPage {
        shell: shell("Users", "/users"),
        list: list("/users", rows.len() as u64, &[]),
        rows,
    };
    let one = |invited: bool| UserPage {
        shell: shell("Mara Lindqvist", "/users/7"),
        link: link().filter(|_| invited),
        row: user("Mara Lindqvist", invited),
        since: ago(9_000.0),
        sessions: (!invited).then_some(2),
        form: Some(UserFields {
            name: "Mara Lindqvist".into(),
            email: "mara@oberwalden.example".into(),
            time_zone: "Europe/Vienna".into(),
            platform_admin: true,
            faults: vec![(
                "platform_admin".into(),
                "Nobody else is a platform administrator. Make another one first.".into(),
            )],
        }),
    };
    let members = |rows: Vec<MemberRow>| MembersPage {
        shell: shell("Members", "/organizations/3/members"),
        organization_id: 3,
        organization: "Gemeinde Oberwalden".into(),
        link: link(),
        list: list("/organizations/3/members", rows.len() as u64, &[]),
        rows,
        form: form(false),
    };
    let member_page = |invited: bool, beyond: bool| {
        MemberPage {
        shell: shell("Mara Lindqvist", "/organizations/3/members/7"),
        organization_id: 3,
        organization: "Gemeinde Oberwalden".into(),
        link: None,
        row: member("Mara Lindqvist", invited),
        roles: [("admin", "Everything in the organization, its people too", false), ("viewer", "Sees sites and reports, changes nothing", true)]
            .map(|(name, description, may)| RoleChoice { id: 3, name: name.into(), description: description.into(), chosen: may, may })
            .into(),
        beyond,
        error: invited.then(|| "Mara Lindqvist is the only administrator here. Give somebody else the role admin first.".into()),
    }
    };
    let message = |what: &'static str, until: f64| MessageRow {
        id: 5,
        what,
        recipient: "mara.lindqvist@oberwalden.example".into(),
        user_id: Some(7),
        organization: Some("Gemeinde Oberwalden".into()),
        at: ago(20.0),
        until: ago(until),
        works: until < 0.0,
        may_show: true,
    };
    let messages = |rows: Vec<MessageRow>| NotificationsPage {
        shell: shell("Messages", "/notifications"),
        link: link().filter(|_| !rows.is_empty()),
        list: list("/notifications", rows.len() as u64, &[]),
        rows,
    };
    let tabs = vec![Tab::new(
        "Organizations",
        None,
        "/account/organizations",
        true,
    )];
    let own = |rows| OwnOrganizationsPage {
        shell: shell("My account", "/account/organizations"),
        tabs: tabs.clone(),
        rows,
    };
    vec![
        (
            "users",
            users(vec![
                user("Mara Lindqvist", false),
                user("Jonas Keller", true),
            ])
            .render(),
        ),
        ("users-empty", users(Vec::new()).render()),
        ("user", one(false).render()),
        ("user-invited", one(true).render()),
        (
            "user-invite",
            InvitePage {
                shell: shell("Invite somebody", "/users/invite"),
                form: form(true),
            }
            .render(),
        ),
        (
            "members",
            members(vec![
                member("Mara Lindqvist", false),
                member("Jonas Keller", true),
            ])
            .render(),
        ),
        ("members-empty", members(Vec::new()).render()),
        ("member", member_page(false, false).render()),
        ("member-beyond", member_page(false, true).render()),
        ("member-invited", member_page(true, false).render()),
        ("roles", roles()),
        ("role", role(Some(4), true)),
        ("role-new", role(None, true)),
        ("role-built-in", role(Some(1), false)),
        ("invitation", invitation(opened(None))),
        (
            "invitation-his",
            invitation(opened(Some("Mara@Oberwalden.example"))),
        ),
        (
            "invitation-other",
            invitation(opened(Some("jonas@oberwalden.example"))),
        ),
        ("invitation-gone", invitation(None)),
        (
            "messages",
            messages(vec![
                message("Invitation", -100.0),
                message("New password", 2.0),
            ])
            .render(),
        ),
        ("messages-empty", messages(Vec::new()).render()),
        (
            "account-organizations",
            own(vec![of("Gemeinde Oberwalden", "viewer")]).render(),
        ),
        ("account-organizations-empty", own(Vec::new()).render()),
    ]
}

#[test]
fn an_invitation_is_taken_by_whoever_was_invited() {
    let said = |signed_in| invitation(opened(signed_in)).unwrap();
    assert!(said(None).contains("/sign-in?next="));
    assert!(said(Some("Mara@Oberwalden.example")).contains("Take the invitation"));
    let other = said(Some("jonas@oberwalden.example"));
    assert!(other.contains("Sign out") && !other.contains("Take the invitation"));
}
