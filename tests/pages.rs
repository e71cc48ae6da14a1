//! The pages that the browser tests visit are those of the router's table.

use axum::http::Method;
use dewline::http::pages;

#[test]
fn no_page_is_forgotten_by_the_browser_tests() {
    let visited = include_str!("browser/pages.txt");
    let mut shown: Vec<&str> = pages()
        .iter()
        .filter(|page| page.method == Method::GET)
        .map(|page| page.path)
        .collect();
    shown.sort_unstable();
    assert_eq!(
        visited.lines().collect::<Vec<_>>(),
        shown,
        "tests/browser/pages.txt lists the pages, sorted"
    );
}
