//! What the executable carries for browsers: stylesheet, fonts, icons, scripts. All of it is served
//! below one path that changes with the content, and so may be kept for ever. Knows no page.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// The folder of this build's assets: `/assets/` and a hash over all of them, made by `build.rs`.
pub const BASE: &str = concat!("/assets/", env!("ASSETS_FOLDER"));
/// The icons' sprite.
pub const ICONS: &str = concat!("/assets/", env!("ASSETS_FOLDER"), "/icons.svg");

const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ETAG: HeaderValue = HeaderValue::from_static(concat!("\"", env!("ASSETS_FOLDER"), "\""));

/// `GET /assets/{hash}/{*path}`. An old hash still finds the file of today, uncached.
pub async fn serve(Path((hash, path)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(file) = Files::get(&path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let current = hash == env!("ASSETS_FOLDER");
    if current && headers.get(header::IF_NONE_MATCH) == Some(&ETAG) {
        return (
            StatusCode::NOT_MODIFIED,
            [(header::ETAG, ETAG), (header::CACHE_CONTROL, FOREVER)],
        )
            .into_response();
    }
    let kind = HeaderValue::from_str(media_type(&path))
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let caching = if current {
        FOREVER
    } else {
        HeaderValue::from_static("no-cache")
    };
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, caching),
            (header::ETAG, ETAG),
        ],
        file.data,
    )
        .into_response()
}

/// A chapter of the manual, as Markdown.
pub fn manual(chapter: &str) -> Option<String> {
    let file = Files::get(&format!("manual/{chapter}.md"))?;
    String::from_utf8(file.data.into_owned()).ok()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_current_asset_may_be_kept_for_ever_and_an_old_path_still_answers() {
        let ask = |hash: &str, path: &str| {
            serve(Path((hash.to_owned(), path.to_owned())), HeaderMap::new())
        };
        let current = ask(env!("ASSETS_FOLDER"), "app.css").await;
        assert_eq!(current.headers()[header::CACHE_CONTROL], FOREVER);
        assert_eq!(
            current.headers()[header::CONTENT_TYPE],
            "text/css; charset=utf-8"
        );
        let old = ask("0000", "app.css").await;
        assert_eq!(old.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(
            ask("0000", "../Cargo.toml").await.status(),
            StatusCode::NOT_FOUND
        );
    }
}
