//! A few lines of HTTP/1.1 over a plain socket: a client that shares nothing with the server.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// An answer: its status, its headers as they came, and its body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The value of a header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

/// One request on a connection of its own. `address` is `http://host:port`.
pub fn ask(
    address: &str,
    method: &str,
    path: &str,
    authorization: &str,
    body: Option<&str>,
) -> io::Result<Answer> {
    let bearer = format!("Bearer {authorization}");
    let headers = [("Authorization", bearer.as_str())];
    let headers = if authorization.is_empty() {
        &[]
    } else {
        &headers[..]
    };
    ask_with(address, method, path, headers, body)
}

/// The same with headers of one's own.
pub fn ask_with(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> io::Result<Answer> {
    let host = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let body = body.unwrap_or_default();
    if !body.is_empty() {
        head.push_str("Content-Type: application/json\r\n");
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "cut off");
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut)?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.parse::<usize>().ok())?
    });
    if length.is_some_and(|length| length != body.len()) {
        return Err(cut());
    }
    let status = head
        .get(9..12)
        .and_then(|status| status.parse().ok())
        .ok_or_else(cut)?;
    Ok(Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
