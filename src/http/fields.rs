//! Reads the fields of a JSON object one by one and remembers everything that is wrong with their
//! types, so that all faults of a body are told at once. What isn't asked for isn't known.

use serde_json::{Map, Value};

use crate::domain::fault::Fault;
use crate::services::{Error, Result};

/// The fields that were sent, as far as they have not been read yet.
#[derive(Debug)]
pub struct Fields {
    left: Map<String, Value>,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

impl Fields {
    /// The fields of `body`; anything but an object is a fault of the whole.
    pub fn of(body: Value) -> Self {
        let (left, faults) = match body {
            Value::Object(fields) => (fields, Vec::new()),
            _ => (
                Map::new(),
                vec![Fault::new("", "wrong_type", "takes a JSON object.")],
            ),
        };
        Self {
            left,
            known: Vec::new(),
            faults,
        }
    }

    /// Takes a field out, where it was sent and isn't null.
    pub fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.left.remove(name).filter(|value| !value.is_null())
    }

    /// The field was sent, null or not, and not yet taken.
    pub fn has(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    fn wrong(&mut self, name: &str, takes: &str) {
        self.faults.push(Fault::new(
            format!("/{name}"),
            "wrong_type",
            format!("takes {takes}."),
        ));
    }

    /// A text.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => {
                self.wrong(name, "a text");
                None
            }
        }
    }

    /// A whole number.
    pub fn integer(&mut self, name: &'static str) -> Option<i64> {
        let number = self.take(name)?;
        if number.as_i64().is_none() {
            self.wrong(name, "a whole number");
        }
        number.as_i64()
    }

    /// True or false.
    pub fn boolean(&mut self, name: &'static str) -> Option<bool> {
        let value = self.take(name)?;
        if value.as_bool().is_none() {
            self.wrong(name, "true or false");
        }
        value.as_bool()
    }

    /// A list of texts.
    pub fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let Value::Array(values) = self.take(name)? else {
            self.wrong(name, "a list of texts");
            return None;
        };
        let before = self.faults.len();
        let mut texts = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            match value {
                Value::String(text) => texts.push(text),
                _ => self.wrong(&format!("{name}/{index}"), "a text"),
            }
        }
        (self.faults.len() == before).then_some(texts)
    }

    /// The fields of an object within; none where it wasn't sent. Give it back to [`Fields::close`].
    pub fn object(&mut self, name: &'static str) -> Self {
        match self.take(name) {
            None => Self::of(Value::Object(Map::new())),
            Some(value) => Self::of(value),
        }
    }

    /// Takes over what was wrong within the object of that name.
    pub fn close(&mut self, name: &'static str, within: Self) {
        for fault in within.faults() {
            let pointer = format!("/{name}{}", fault.pointer);
            self.faults.push(Fault { pointer, ..fault });
        }
    }

    /// Everything that is wrong with what was sent so far, fields that nobody asked for included.
    pub fn faults(self) -> Vec<Fault> {
        let Self {
            left,
            known,
            mut faults,
        } = self;
        for name in left.keys() {
            let escaped = name.replace('~', "~0").replace('/', "~1");
            let shown: String = escaped.chars().take(100).collect();
            faults.push(Fault::new(
                format!("/{shown}"),
                "unknown_field",
                format!("is not known here; known are {}.", known.join(", ")),
            ));
        }
        faults
    }

    /// Nothing is wrong with the fields' types, and none is left over.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all faults, `others` among them.
    pub fn finish(self, others: Vec<Fault>) -> Result<()> {
        let mut faults = self.faults();
        for fault in others {
            if faults.iter().all(|known| known.pointer != fault.pointer) {
                faults.push(fault);
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(faults))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wrong_types_and_unknown_fields_are_told_together() {
        let mut fields =
            Fields::of(json!({"name": 1, "tags": ["a", 2], "size": 3, "a/b": 1, "note": null}));
        assert_eq!(fields.text("name"), None);
        assert_eq!(fields.texts("tags"), None);
        assert_eq!(fields.integer("size"), Some(3));
        assert_eq!(fields.text("note"), None);
        let told: Vec<_> = fields
            .faults()
            .into_iter()
            .map(|fault| (fault.pointer, fault.code.into_owned()))
            .collect();
        assert_eq!(
            told,
            [
                ("/name".to_owned(), "wrong_type".to_owned()),
                ("/tags/1".to_owned(), "wrong_type".to_owned()),
                ("/a~1b".to_owned(), "unknown_field".to_owned()),
            ]
        );
    }

    #[test]
    fn what_is_wrong_within_an_object_is_told_with_its_place() {
        let mut fields = Fields::of(json!({"hours": {"critical": "1", "x": 2}, "flags": 3}));
        let mut hours = fields.object("hours");
        assert_eq!(hours.integer("critical"), None);
        fields.close("hours", hours);
        let flags = fields.object("flags");
        fields.close("flags", flags);
        let absent = fields.object("absent");
        fields.close("absent", absent);
        let told: Vec<_> = fields
            .faults()
            .into_iter()
            .map(|fault| format!("{} {}", fault.pointer, fault.code))
            .collect();
        assert_eq!(
            told,
            [
                "/hours/critical wrong_type",
                "/hours/x unknown_field",
                "/flags wrong_type"
            ]
        );
    }

    #[test]
    fn anything_but_an_object_is_wrong_as_a_whole() {
        assert_eq!(Fields::of(json!([1])).faults()[0].pointer, "");
    }
}
