//! What a handler gets, and what it gives back. Wire types become JSON here, once.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::fields::Fields;
use crate::app::App;
use crate::domain::access::Actor;
use crate::domain::listing::{List, Page, Query};
use crate::domain::report::{Asked, Report};
use crate::services::reports::Walk;
use crate::services::{Error, Result};

/// One call, after everything that a route's line in the table says was asked.
#[derive(Debug)]
pub struct Call {
    /// The house.
    pub app: Arc<App>,
    /// Who calls; on public routes nobody.
    pub actor: Option<Actor>,
    /// The caller's address.
    pub address: IpAddr,
    /// What the caller's program calls itself.
    pub device: String,
    /// The request's id.
    pub request_id: String,
    /// The ids in the path, in order.
    pub ids: Vec<i64>,
    /// The question, where the operation gives a list.
    pub query: Option<Query>,
    /// The question, where the operation gives a report.
    pub asked: Option<Asked>,
    /// What was sent.
    pub body: Payload,
}

/// What was sent with a call.
#[derive(Debug)]
pub enum Payload {
    /// Nothing.
    Nothing,
    /// JSON.
    Json(Value),
    /// JSON that the service reads itself: UTF-8, not deeper than what is taken.
    Large(Bytes),
}

impl Call {
    /// Who calls.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] on public routes.
    pub fn actor(&self) -> Result<&Actor> {
        self.actor.as_ref().ok_or(Error::Unauthenticated)
    }

    /// The first id in the path.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none.
    pub fn id(&self) -> Result<i64> {
        self.ids.first().copied().ok_or(Error::NotFound)
    }

    /// The second id in the path.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none.
    pub fn second_id(&self) -> Result<i64> {
        self.ids.get(1).copied().ok_or(Error::NotFound)
    }

    /// The question to the list.
    ///
    /// # Errors
    /// [`Error::Internal`] on a route that gives no list.
    pub fn query(&self) -> Result<&Query> {
        self.query
            .as_ref()
            .ok_or_else(|| Error::Internal("the route gives no list".to_owned()))
    }

    /// The question to the report.
    ///
    /// # Errors
    /// [`Error::Internal`] on a route that gives no report.
    pub fn asked(&self) -> Result<Asked> {
        self.asked
            .clone()
            .ok_or_else(|| Error::Internal("the route gives no report".to_owned()))
    }

    /// The fields of the JSON object that was sent; none where there was no body.
    pub fn fields(&mut self) -> Fields {
        match std::mem::replace(&mut self.body, Payload::Nothing) {
            Payload::Json(value) => Fields::of(value),
            Payload::Nothing => Fields::of(Value::Object(serde_json::Map::new())),
            Payload::Large(_) => Fields::of(Value::Null),
        }
    }

    /// The bytes of the body that the service reads itself.
    pub fn large(&mut self) -> Bytes {
        match std::mem::replace(&mut self.body, Payload::Nothing) {
            Payload::Large(bytes) => bytes,
            Payload::Nothing | Payload::Json(_) => Bytes::new(),
        }
    }
}

/// What a handler gives back.
#[derive(Debug)]
pub enum Answer {
    /// One thing.
    One {
        /// 200, 201 or 202.
        status: u16,
        /// The thing, as JSON.
        data: String,
        /// `Location`, and `links.self` where it isn't the request's own path.
        location: Option<String>,
        /// Further links.
        links: Vec<(&'static str, String)>,
    },
    /// A page of a list.
    Page {
        /// The rows, each as JSON.
        rows: Vec<String>,
        /// The list.
        list: &'static List,
        /// Rows on all pages.
        total: i64,
        /// There are more than `total`.
        at_least: bool,
        /// There is a next page.
        more: bool,
    },
    /// A report on its way.
    Rows(&'static Report, Box<Walk>),
    /// 204.
    Nothing,
    /// A document that stands for itself.
    Bare {
        /// Its media type.
        media: &'static str,
        /// Its text.
        text: String,
    },
}

impl Answer {
    /// 200 and one thing.
    ///
    /// # Errors
    /// [`Error::Internal`] where it cannot be written as JSON.
    pub fn one(data: &impl Serialize) -> Result<Self> {
        Self::with(200, data, None)
    }

    /// 201, where it now is, and the thing.
    ///
    /// # Errors
    /// As [`Answer::one`].
    pub fn created(location: String, data: &impl Serialize) -> Result<Self> {
        Self::with(201, data, Some(location))
    }

    /// 202, where to look how it stands, and the job.
    ///
    /// # Errors
    /// As [`Answer::one`].
    pub fn accepted(location: String, data: &impl Serialize) -> Result<Self> {
        Self::with(202, data, Some(location))
    }

    fn with(status: u16, data: &impl Serialize, location: Option<String>) -> Result<Self> {
        Ok(Self::One {
            status,
            data: json(data)?,
            location,
            links: Vec::new(),
        })
    }

    /// The same with `links.self` pointing elsewhere.
    #[must_use]
    pub fn located(mut self, at: String) -> Self {
        if let Self::One { location, .. } = &mut self {
            *location = Some(at);
        }
        self
    }

    /// The same with one more link.
    #[must_use]
    pub fn link(mut self, name: &'static str, to: String) -> Self {
        if let Self::One { links, .. } = &mut self {
            links.push((name, to));
        }
        self
    }

    /// A page of a list, each row written as `W`.
    ///
    /// # Errors
    /// As [`Answer::one`].
    pub fn page<T, W: From<T> + Serialize>(list: &'static List, page: Page<T>) -> Result<Self> {
        Self::page_with(list, page, W::from)
    }

    /// The same, each row written by `write`: where what is told depends on who asks.
    ///
    /// # Errors
    /// As [`Answer::one`].
    pub fn page_with<T, W: Serialize>(
        list: &'static List,
        page: Page<T>,
        write: impl Fn(T) -> W,
    ) -> Result<Self> {
        let rows: Result<Vec<String>> =
            page.rows.into_iter().map(|row| json(&write(row))).collect();
        Ok(Self::Page {
            rows: rows?,
            list,
            total: page.total,
            at_least: page.at_least,
            more: page.more,
        })
    }
}

fn json(data: &impl Serialize) -> Result<String> {
    serde_json::to_string(data).map_err(|error| Error::Internal(error.to_string()))
}
