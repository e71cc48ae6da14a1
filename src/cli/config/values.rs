//! Reads single values of the configuration. Each error says what would be right, and never
//! repeats the value: the caller does, where it isn't secret.

use std::net::IpAddr;
use std::time::Duration;

use url::Url;

type Checked<T> = Result<T, String>;

/// `host:port`, `1.2.3.4:port` or `[v6]:port`.
pub fn address(value: &str) -> Checked<String> {
    let wrong =
        || "an address and a port are needed, such as 127.0.0.1:8080 or [::1]:8080".to_owned();
    if value.parse::<std::net::SocketAddr>().is_ok() {
        return Ok(value.to_owned());
    }
    let (host, port) = value.rsplit_once(':').ok_or_else(wrong)?;
    let host_is_a_name = !host.is_empty()
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    if !host_is_a_name || port.parse::<u16>().is_err() {
        return Err(wrong());
    }
    Ok(value.to_owned())
}

/// An address, or nothing.
pub fn address_or_nothing(value: &str) -> Checked<()> {
    if value.is_empty() {
        return Ok(());
    }
    address(value).map(drop)
}

/// An address that people reach: scheme and host, no path. Empty is allowed.
pub fn plain_url(value: &str) -> Checked<String> {
    let text = url_or_nothing(value, false)?;
    if let Ok(url) = Url::parse(&text)
        && url.path() != "/"
    {
        return Err("Dewline is reached at the root of a host: no path is possible here, such as https://dewline.example.org".to_owned());
    }
    Ok(text)
}

/// An http or https address without query, fragment or credentials, the trailing slash cut off.
pub fn url_or_nothing(value: &str, needed: bool) -> Checked<String> {
    if value.is_empty() && !needed {
        return Ok(String::new());
    }
    let wrong = || "an http or https address is needed, such as https://example.org".to_owned();
    let url = Url::parse(value).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong());
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("the address may hold no query, fragment or sign-in".to_owned());
    }
    Ok(value.trim_end_matches('/').to_owned())
}

/// The address of a mail relay, or nothing.
pub fn mail_url(value: &str) -> Checked<()> {
    let right = Url::parse(value)
        .is_ok_and(|url| matches!(url.scheme(), "smtp" | "smtps") && url.host_str().is_some());
    if value.is_empty() || right {
        Ok(())
    } else {
        Err("a mail relay is needed, such as smtps://user:password@mail.example.org".to_owned())
    }
}

/// `true` or `false`.
pub fn switch(value: &str) -> Checked<bool> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("true or false is needed".to_owned()),
    }
}

/// A whole number from `least` to `most`.
pub fn count(value: &str, least: u32, most: u32) -> Checked<u32> {
    match value.parse::<u32>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("a whole number from {least} to {most} is needed")),
    }
}

/// Hours of an SLA: 1 to 8,760.
pub fn hours(value: &str) -> Checked<u32> {
    count(value, 1, 8760)
}

/// A span of time from `least` to `most` seconds: `90`, `30s`, `5m`, `24h` or `7d`.
pub fn span(value: &str, least: u64, most: u64) -> Checked<Duration> {
    let wrong = || {
        format!(
            "a span of time from {} to {} is needed, such as 30s, 5m, 24h or 7d (a bare number is seconds)",
            spoken(least),
            spoken(most)
        )
    };
    let digits = value.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match value.get(digits.len()..).unwrap_or_default().trim() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let seconds = digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .filter(|seconds| (least..=most).contains(seconds))
        .ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}

fn spoken(seconds: u64) -> String {
    for (unit, name) in [(86_400, "d"), (3600, "h"), (60, "m")] {
        if seconds >= unit && seconds.is_multiple_of(unit) {
            return format!("{}{name}", seconds / unit);
        }
    }
    format!("{seconds}s")
}

/// One of a few words.
pub fn choice(value: &str, words: &[&str]) -> Checked<String> {
    if words.contains(&value) {
        return Ok(value.to_owned());
    }
    let shown: Vec<&str> = words.iter().copied().filter(|w| !w.is_empty()).collect();
    Err(format!("one of {} is needed", shown.join(", ")))
}

/// Addresses and networks (`10.0.0.0/8`), separated by commas.
pub fn list_of_networks(value: &str) -> Checked<Vec<String>> {
    let entries: Vec<String> = value
        .split(',')
        .map(|entry| entry.trim().to_owned())
        .filter(|entry| !entry.is_empty())
        .collect();
    if let Some(wrong) = entries.iter().find(|entry| !is_network(entry)) {
        return Err(format!(
            "{wrong:?} is neither an address nor a network, such as 10.0.0.1 or 10.0.0.0/8"
        ));
    }
    Ok(entries)
}

fn is_network(entry: &str) -> bool {
    let (address, length) = entry.split_once('/').unwrap_or((entry, "0"));
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|length| length <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_with_their_unit_and_refused_out_of_range() {
        assert_eq!(span("90", 0, 1000), Ok(Duration::from_secs(90)));
        assert_eq!(span("5m", 0, 1000), Ok(Duration::from_secs(300)));
        assert_eq!(span("2 h", 0, 10_000), Ok(Duration::from_secs(7200)));
        for wrong in ["", "m", "-5", "5y", "1001", "99999999999999999999d", "1.5h"] {
            assert!(span(wrong, 0, 1000).is_err(), "{wrong}");
        }
        assert!(
            span("1s", 3600, 86_400)
                .unwrap_err()
                .contains("from 1h to 1d")
        );
    }

    #[test]
    fn addresses_need_a_host_and_a_port() {
        for right in ["127.0.0.1:0", "[::]:8080", "localhost:80"] {
            assert!(address(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "8080",
            ":8080",
            "127.0.0.1",
            "::1:80",
            "host:99999",
            "http://x:80",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn urls_are_http_and_lose_their_trailing_slash() {
        assert_eq!(
            plain_url("https://d.example.org/"),
            Ok("https://d.example.org".to_owned())
        );
        assert_eq!(plain_url(""), Ok(String::new()));
        for wrong in [
            "d.example.org",
            "ftp://x",
            "https://x/y",
            "https://a:b@x",
            "https://x?y",
        ] {
            assert!(plain_url(wrong).is_err(), "{wrong}");
        }
        assert!(url_or_nothing("", true).is_err());
    }

    #[test]
    fn networks_are_checked_one_by_one() {
        assert_eq!(
            list_of_networks("10.0.0.0/8, ::1").unwrap(),
            ["10.0.0.0/8", "::1"]
        );
        assert!(
            list_of_networks("10.0.0.0/33")
                .unwrap_err()
                .contains("10.0.0.0/33")
        );
        assert!(list_of_networks("proxy").is_err());
        assert_eq!(list_of_networks("").unwrap(), Vec::<String>::new());
    }
}
