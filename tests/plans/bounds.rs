//! What may walk a whole table or sort by hand, by name, and what bounds it.

/// A statement's exemption.
pub struct Bound {
    /// Where the statement stands: `file::function`.
    pub place: &'static str,
    /// How the step begins.
    pub step: &'static str,
    /// What bounds it.
    pub because: &'static str,
}

/// A list's exemption: `*` stands for anything.
pub struct ListBound {
    /// The questions: `list, question, who, rows or count`.
    pub question: &'static str,
    /// How the step begins.
    pub step: &'static str,
    /// What bounds it.
    pub because: &'static str,
}

const fn may(place: &'static str, step: &'static str, because: &'static str) -> Bound {
    Bound {
        place,
        step,
        because,
    }
}

const fn asks(question: &'static str, step: &'static str, because: &'static str) -> ListBound {
    ListBound {
        question,
        step,
        because,
    }
}

const SORTS: &str = "USE TEMP B-TREE FOR ORDER BY";

#[rustfmt::skip]
pub const STATEMENTS: &[Bound] = &[
    may("advisories::standing", SORTS, "the advisories of one project: about a hundred of core"),
    may("advisories::names_of", SORTS, "the advisories that explain one window: a handful"),
    may("affected_sites::find", SORTS, "the windows of one module on one site"),
    may("advisory_feed::listings", "SCAN advisory_listings", "two rows: there are two listings"),
    may("advisory_feed::settle_unseen", "SCAN advisory_nodes", "nodes that wait or are of no use: a handful, hundreds while filling; once a day"),
    may("advisory_feed::due_node", SORTS, "nodes that are due: a handful, at most a page of them while filling"),
    may("advisory_feed::troubles", "SCAN advisory_nodes", "nodes that wait or are of no use: a handful, hundreds while filling"),
    may("advisory_feed::troubles", SORTS, "the same rows"),
    may("advisory_feed::any_trouble", "SCAN advisory_nodes", "the same rows"),
    may("advisory_feed::standing", "SCAN advisories", "all advisories, about 4,500, on a page for the platform's administrator"),
    may("audit::newest_row", "SCAN audit_logs", "one row: LIMIT 1 in the order of ids"),
    may("audit::first_broken", "SCAN audit_logs", "the whole record, on the copy that `dewline check` makes"),
    may("fanouts::all_left", "SCAN l", "sites that could not be told by a fault of ours: 50 at most because of the LIMIT"),
    may("module_versions::of_module", SORTS, "the versions of one module, seen on sites: hundreds"),
    may("fanouts::next", "SCAN fanouts", "modules that were judged anew and not told yet: tens"),
    may("fanouts::next", SORTS, "the same rows"),
    may("fanouts::untold", "SCAN fanouts", "one row: whether there is any"),
    may("fanouts::untold", SORTS, "what one site runs or ran and was judged anew"),
    may("exposures::open", SORTS, "the modules of one site with something open: at most 5,000"),
    may("jobs::waiting", "SCAN jobs USING INDEX jobs_due", "jobs that wait or run: tens"),
    may("mod::applied_version", "SCAN sqlite_schema", "the tables of the schema: tens"),
    may("one_time_tokens::drop_unused", "SCAN one_time_tokens", "links that were printed: a handful"),
    may("overview::feed", "USE TEMP B-TREE FOR count(DISTINCT)", "the versions that one organization runs: thousands, found by index"),
    may("overview::tallies", "SCAN o USING INDEX organizations_name", "organizations, each with at most 16 rows of counters"),
    may("overview::overdue", "USE TEMP B-TREE FOR GROUP BY", "sites past due, found by index: what a fleet in trouble has, not its size"),
    may("overview::marks", "SCAN o USING INDEX organizations_name", "fleets of at most 200 sites, which are drawn one by one"),
    may("overview::contacts_by_hour", "USE TEMP B-TREE FOR GROUP BY", "fleets of at most 50,000 sites; larger ones are not counted by the hour"),
    may("overview::open_sites", "SCAN sites USING INDEX sites_open", "sites with something open, in their order, until twelve of one's own are found"),
    may("overview::urgent", SORTS, "the open windows of one site"),
    may("overview::by_risk", "USE TEMP B-TREE FOR GROUP BY", "days on which something open is due, with six rows each at most"),
    may("overview::by_day", "USE TEMP B-TREE FOR GROUP BY", "days, with six rows at most for each environment"),
    may("standing::by_organization", "USE TEMP B-TREE FOR GROUP BY", "what is due today, found by index"),
    may("reports::days", "USE TEMP B-TREE FOR GROUP BY", "days, with six rows at most for each environment"),
    may("standing::by_module", "SCAN p USING COVERING INDEX open_pairs_module", "modules of sites with something open, from an index that holds all that is counted"),
    may("standing::by_module", SORTS, "the modules with something open"),
    may("standing::by_module", "SCAN w", "50 modules because of the LIMIT"),
    may("standing::by_module", "USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY", "the same rows"),
    may("standing::by_organization", "SCAN o", "organizations, each with a row for a day on which something open is due"),
    may("standing::by_organization", SORTS, "organizations with something open"),
    may("people::memberships", SORTS, "the organizations of one person"),
    may("people::only_administrator_of", SORTS, "the organizations of one person"),
    may("chronicle::is_empty", "SCAN chronicle", "the first row"),
    may("clocks::of_site", SORTS, "the windows of one site whose clocks are to be looked at: a handful"),
    may("clocks::all", "SCAN exposures", "every window, on the copy that `dewline check` makes"),
    may("roles::is_named", "SCAN roles USING COVERING INDEX roles_name", "the roles of all organizations, a few each, when one for all is made or renamed"),
    may("sites::list_deleted", "SCAN s USING INDEX sites_deleted", "deleted sites that were not removed for good yet"),
    may("sites::list_deleted", SORTS, "the same rows"),
    may("reach::tally", "SCAN (subquery-", "the windows that one advisory explains: at most 50,001 because of the LIMIT"),
    may("reach::tally", "USE TEMP B-TREE FOR GROUP BY", "the same rows"),
    may("reach::silent", "SCAN (subquery-", "silent sites, found by index: at most 50,000 because of the LIMIT"),
    may("reach::versions", "USE TEMP B-TREE FOR GROUP BY", "the versions of one module that the organizations run: hundreds"),
    may("reach::newest", "SCAN a USING INDEX advisories_published", "the advisories, thousands, and it ends with the fifth that hit a site"),
    may("named_sites::first", "SCAN j", "the organizations in sight, until 201 sites are found"),
    may("named_sites::first", "SCAN s USING INDEX sites_by_name", "201 sites because of the LIMIT"),
    may("named_sites::deleted", "SCAN j", "the sites on one page of a report: 200"),
    may("named_sites::deleted_organizations", "SCAN j", "the organizations on one page of a report: 200"),
    may("reports::updates", SORTS, "the windows of one site"),
    may("reports::advisories", "SCAN j", "the windows of one chunk: 1,000"),
    may("reports::organizations", "SCAN j", "the organizations with something due in one month"),
    may("reports::organizations", SORTS, "the same rows"),
    may("reports::versions", "SCAN m USING INDEX modules_name", "the modules of the catalogue, thousands, once a report"),
    may("reports::versions", "USE TEMP B-TREE FOR LAST 3 TERMS OF ORDER BY", "the versions of one module"),
    may("reports::platforms", "USE TEMP B-TREE FOR GROUP BY", "the sites of a fleet, once a report: versions of core and PHP are tens"),
    may("snapshots::counts", "SCAN sites USING INDEX sites_organization", "the sites of a fleet, once a day"),
    may("snapshots::counts", "USE TEMP B-TREE FOR GROUP BY", "the same rows"),
    may("standing::oldest", "SCAN e USING INDEX exposures_newest", "one row: LIMIT 1 in the order of the index, behind the oldest of others"),
    may("standing::modules_by_status", "USE TEMP B-TREE FOR GROUP BY", "the modules of one site: at most 5,000"),
    may("users::any", "SCAN users USING INDEX users_email", "one row: EXISTS stops at the first"),
];

#[rustfmt::skip]
pub const LISTS: &[ListBound] = &[
    asks("sessions, *, rows", SORTS, "one person's sign-ins that have not ended: those of 30 days"),
    asks("devices, *, rows", SORTS, "one person's browsers of a year"),
    asks("*, count", "SCAN (subquery-", "at most 10,001 rows because of the LIMIT"),
    asks("*, sort=*, all, count", "SCAN ", "at most 10,001 rows because of the LIMIT: without a filter every row counts"),

    asks("*, sort=*, all, rows", "SCAN ", "ends with the page: rows come in the order of an index, and without a filter every row is shown"),
    asks("sites, sort=*status, an organization, rows", SORTS, "sites of one organization: a security release would move every entry of an index for it"),
    asks("sites, sort=*next_due_at, an organization, rows", SORTS, "likewise"),
    asks("sites, sort=*last_sync_at, an organization, rows", SORTS, "sites of one organization: an index for it would move with every sync"),
    asks("sites, *&sort=status,next_due_at, an organization, rows", SORTS, "likewise"),
    asks("sites, filter[organization_id]=*&sort=status,next_due_at, all, rows", SORTS, "likewise"),
    asks("exposures, filter[no_fix]=*, all, *", "SCAN e USING INDEX exposures_no_fix", "an index of what nothing fixes: every row counts"),
    asks("exposures, filter[snoozed]=*, all, *", "SCAN e USING INDEX exposures_snoozed", "an index of what was put aside: every row counts"),
    asks("exposures, filter[most_urgent]=*, all, *", "SCAN p USING COVERING INDEX open_pairs_due", "ends with the page, or at 10,001: rows come in the order of the index, and every row is shown"),
    asks("exposures, sort=*id, an organization, rows", SORTS, "windows of one organization, ids alone"),
    asks("exposures, sort=*due_at, an organization, rows", SORTS, "windows of one organization; the open ones alone have an index"),
    asks("audit-logs, sort=*id, an organization, rows", SORTS, "rows of one organization, ids alone"),
    asks("patch-runs, sort=*id, an organization, rows", SORTS, "patch runs of one organization, ids alone"),
    asks("patch-runs, filter[state]=*, all, rows", "SCAN p USING INDEX patch_runs_", "what is only claimed has an index of its own; of the rest it ends with the page: whether scripts announce their runs is a habit, so that most are or most are not"),
    asks("patch-runs, filter[state]=*, all, count", "SCAN p", "at most 10,001 rows because of the LIMIT, when most runs are not announced"),
    asks("patch-runs of a site, sort=*id, *, rows", SORTS, "patch runs of one site"),
    asks("modules, *, an organization, rows", SORTS, "modules that the sites of one organization run"),
    asks("modules, *, all, rows", "USE TEMP B-TREE FOR LAST TERM OF ORDER BY", "modules of one name: drupal.org's, and the custom code that shares it"),
    asks("module-sites, *installed*, rows", "USE TEMP B-TREE FOR LAST TERM OF ORDER BY", "ids of the sites that run one version of the module, found by index"),
    asks("module-sites, filter*, rows", "USE TEMP B-TREE FOR LAST TERM OF ORDER BY", "likewise, those that the filter leaves"),
    asks("module-sites, sort=*site, *, rows", SORTS, "sites that run the module, found by index"),
    asks("module-sites, sort=*due_at, *, rows", SORTS, "sites that run the module, and the windows of the module on one site"),
    asks("module-sites, filter[state]=*", SORTS, "the windows of the module on one site"),
    asks("module-sites of an organization, *", SORTS, "sites of one organization, and the windows of the module on one site"),
    asks("site-modules of a site, *, rows", SORTS, "rows of one site, at most 5,000"),
    asks("exposures of a site, *, rows", SORTS, "windows of one site"),
    asks("advisory-sites, *, rows", SORTS, "the windows of one advisory"),
    asks("advisories, *", "SCAN a", "all advisories there are: some thousands, whatever the fleet"),
    asks("advisories, *, rows", SORTS, "the same rows"),
    asks("*, several organizations, rows*", SORTS, "rows of the organizations of which one person is a member, found by index: each has its own order, and they are put into one"),
    asks("roles, *", "SCAN r", "three built-in roles and a handful of each organization"),
    asks("roles, *, rows", SORTS, "the same rows"),
    asks("users, *, an organization, rows", SORTS, "members of one organization"),
    asks("members, *, rows", SORTS, "members of one organization"),
    asks("notifications, *id, an organization, rows", SORTS, "links of one organization that wait"),

    // What a search finds: few rows by an index, many by reading on.
    asks("*, q=*, all, few or many", "SCAN (subquery-", "at most 2,001 rows because of the LIMIT"),
    asks("*, q=*, all, few or many", "SCAN sites_search", "rows that have all the text's terms: it ends with the 2,001st that has the text"),
    asks("*, q=*, all, few or many", "SCAN modules_search", "likewise"),
    asks("*, q=*, all, * of few", "SCAN sites_search", "at most 2,000 rows that have the text"),
    asks("*, q=*, all, * of few", "SCAN modules_search", "likewise"),
    asks("*, q=*, all, count of few", "SCAN (subquery-", "the same rows"),
    asks("*, q=*, all, rows of few", SORTS, "the same rows"),
    asks("*, q=*, all, rows", "SCAN ", "ends with the page, since more than 2,000 rows have the text; at worst the list is read once, about 80 ms for 50,000 sites"),
    asks("*, q=*, all, count", "SCAN ", "ends with the 10,001st row that has the text; at worst the list is read once, about 20 ms for 50,000 sites"),
    asks("sites, q=*&sort=last_sync_at, an organization, rows", SORTS, "sites of one organization that have the text"),
    asks("sites, filter[name][*, all, *", "SCAN s", "as a search that many rows have; where few have it, too, the list is read once"),

    // What a filter leaves, found by index, and sorted.
    asks("sites, filter[tags]=*, all, rows", SORTS, "sites with that tag, found by index"),
    asks("sites, filter[status]=*, all, rows", SORTS, "sites of that status, found by index"),
    asks("sites, filter[silent]=*, all, rows", SORTS, "sites that are silent, found by index"),
    asks("sites, filter[next_due_at][lt]=*, all, rows", SORTS, "sites with something due before then, found by index"),
    asks("exposures, filter[state]=open, all, rows", "SCAN e USING INDEX exposures_newest", "ends with the page: the index holds open windows alone, in their order"),
    asks("exposures, filter[state]=open&sort=due_at, all, rows", "SCAN e USING INDEX exposures_due", "likewise"),
    asks("exposures, filter[state]=open*, all, count", "SCAN e USING INDEX exposures_newest", "at most 10,001 rows because of the LIMIT: the index holds open windows alone"),
    asks("exposures, filter[state]=overdue, *, rows", SORTS, "windows past due, found by index"),
    asks("exposures, filter[due_at][lt]=*, rows", SORTS, "windows due before then, found by index"),
    asks("exposures, filter[module]=*, all, rows", SORTS, "windows of one module, found by index"),
];

/// Fields that are rarely asked for, and only by whoever sees all: the list is read in its order until
/// the page is full, at most to its end. An organization's rows are found by its wall.
#[rustfmt::skip]
pub const WALKED: &[&str] = &[
    "organizations: created_at, updated_at",
    "sites: url, drupal_version, php_version, open_exposures, created_at, updated_at",
    "patch-runs: modules_updated, security_patches_applied, state",
    "exposures: cause, no_fix, environment, most_urgent, assignee_id, acknowledged_at, snoozed, published_at, known_at, unproven_since",
    "modules: title, type, origin",
    "advisories: title, psa, risk, cve, updated_at, withdrawn_at",
    "api-keys: name, prefix, organization_id, scopes, expires_at, last_used_at, revoked_at, created_at",
    "roles: name, organization_id, built_in, created_at",
    "users: status, created_at",
    "notifications: kind, state, recipient, expires_at",
    "audit-logs: actor, actor_kind, subject_kind, status, request_id",
    "jobs: name, state, created_at, finished_at",
];

/// Which exemption covers the step.
pub fn of_list(name: &str, step: &str) -> Option<usize> {
    LISTS
        .iter()
        .position(|bound| fits(bound.question, name) && step.starts_with(bound.step))
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len()).any(|at| tail.is_char_boundary(at) && fits(rest, &tail[at..]))
        }),
    }
}
