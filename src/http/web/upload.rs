//! A file in a form: the one part of a `multipart/form-data` body that has its name. Knows no form.

/// What was sent as the file `name`; `None` where the body has no such part, or isn't such a form.
pub fn file_of<'a>(media: &str, body: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let boundary = media
        .split(';')
        .find_map(|part| part.trim().strip_prefix("boundary="))?;
    let mark = format!("--{}", boundary.trim_matches('"'));
    let wanted = format!("name=\"{name}\"");
    let mut rest = after(body, mark.as_bytes())?;
    loop {
        let part = before(rest, format!("\r\n{mark}").as_bytes())?;
        let content = after(part, b"\r\n\r\n")?;
        let head = part.get(..part.len() - content.len())?;
        if String::from_utf8_lossy(head)
            .split("; ")
            .any(|word| word.trim_end().starts_with(&wanted))
        {
            return Some(content);
        }
        rest = rest.get(part.len() + 2 + mark.len()..)?;
    }
}

fn find(body: &[u8], mark: &[u8]) -> Option<usize> {
    body.windows(mark.len()).position(|window| window == mark)
}

fn after<'a>(body: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    body.get(find(body, mark)? + mark.len()..)
}

fn before<'a>(body: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    body.get(..find(body, mark)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEDIA: &str = "multipart/form-data; boundary=----x1";
    const BODY: &str = "------x1\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n------x1\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\nname,url\r\n\r\na,b\r\n------x1--\r\n";

    #[test]
    fn the_part_of_that_name_is_found_whole() {
        assert_eq!(
            file_of(MEDIA, BODY.as_bytes(), "file"),
            Some(&b"name,url\r\n\r\na,b"[..])
        );
        assert_eq!(file_of(MEDIA, BODY.as_bytes(), "note"), Some(&b"hello"[..]));
    }

    #[test]
    fn what_is_cut_or_of_another_kind_is_nothing() {
        assert_eq!(file_of(MEDIA, BODY.as_bytes(), "other"), None);
        assert_eq!(file_of("text/plain", BODY.as_bytes(), "file"), None);
        for end in 0..BODY.len() - 20 {
            let _ = file_of(MEDIA, &BODY.as_bytes()[..end], "file");
        }
        assert_eq!(file_of(MEDIA, &BODY.as_bytes()[..120], "file"), None);
    }
}
