//! Whom we talk to: drupal.org now; mail and chat later. Knows neither store nor services.

pub mod archive;
pub mod drupal_org;
