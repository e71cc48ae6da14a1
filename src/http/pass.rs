//! Who passes a line of the tables, of the API's and of the pages' alike: does the caller hold what the
//! line needs, and can he see what its path names. The contract's order: 403 where he holds it nowhere,
//! 404 where he can't see the thing, 403 where he sees it and holds the permission only elsewhere.

use super::route::{Needs, Scope};
use crate::app::App;
use crate::domain::access::{Actor, Denied, Permission, Sight};
use crate::services::Error;

/// Where the caller holds what the line needs; nothing where the line asks for no permission.
///
/// # Errors
/// [`Error::Forbidden`].
pub fn permitted(needs: Needs, actor: &Actor) -> Result<Sight, Error> {
    match needs {
        Needs::Public => Ok(Sight::nothing()),
        Needs::May(permission) => Ok(actor.require(permission)?),
        Needs::Platform(permission) => {
            actor.require_platform(permission)?;
            Ok(Sight::All)
        }
        Needs::Person => match actor {
            Actor::Person { .. } => Ok(Sight::nothing()),
            _ => Err(not_a_person()),
        },
    }
}

/// What is said to whoever may not; `None` where everybody may.
pub fn forbidden(needs: Needs) -> Option<Error> {
    match needs {
        Needs::Public => None,
        Needs::Person => Some(not_a_person()),
        Needs::May(permission) | Needs::Platform(permission) => Some(Denied(permission).into()),
    }
}

fn not_a_person() -> Error {
    Error::Forbidden("this belongs to a person; keys are not taken".to_owned())
}

/// What the path names, as it is written there, and as ids; `None` where one of them isn't an id that
/// anything could have.
pub fn ids(names: &[String]) -> Option<Vec<i64>> {
    names
        .iter()
        .map(|text| {
            let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|id: &i64| plain && *id > 0)
        })
        .collect()
}

/// The ids of what the path names, where the caller can see it and holds there what the line needs.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`].
pub fn in_sight(
    app: &App,
    (needs, scope): (Needs, Scope),
    actor: &Actor,
    sight: &Sight,
    names: &[String],
) -> Result<Vec<i64>, Error> {
    let here = |found: Result<i64, Error>,
                reading: Permission,
                again: &dyn Fn(&Sight) -> Result<i64, Error>| match found {
        Err(Error::NotFound) if again(&actor.sight(reading)).is_ok() => {
            Err(forbidden(needs).unwrap_or(Error::NotFound))
        }
        other => other,
    };
    match (scope, names.first()) {
        (Scope::Called(_, reading, find), Some(name)) => {
            let find = |sight: &Sight| find(app, sight, name);
            Ok(vec![here(find(sight), reading, &find)?])
        }
        (Scope::Of(_, reading, seen), Some(_)) => {
            let ids = ids(names).ok_or(Error::NotFound)?;
            if let Some(id) = ids.first() {
                let seen = |sight: &Sight| seen(app, sight, *id).map(|()| *id);
                here(seen(sight), reading, &seen)?;
            }
            Ok(ids)
        }
        _ => ids(names).ok_or(Error::NotFound),
    }
}
