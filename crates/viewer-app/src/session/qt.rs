//! What a Qt program has put into its segment, for the commands and for saving and copying.

use std::thread;
use std::time::Duration;

use app_kit::follower::Time;
use app_kit::qt::{PATIENCE, visit};
use qt_bridge::{Follower, Form, QtKey};

use super::{FetchError, Found};
use crate::user::User;

/// Takes what stands in a segment now; with `wait`, looks that long for one. The key says already whose
/// it is, and `owner` how the user calls that.
pub(crate) fn fetch(
    key: &QtKey,
    form: Option<Form>,
    owner: Option<&User>,
    wait: Option<Duration>,
) -> Result<Found, FetchError> {
    let time = Time::within(wait);
    loop {
        let patience = match wait {
            None => PATIENCE,
            Some(_) => time.patience().min(PATIENCE),
        };
        match visit(|| qt_bridge::read(key, form, patience)) {
            Ok(reading) => return Ok(Found::of_reading(reading)),
            Err(error) if !error.is_not_found() => return Err(FetchError::Qt(error)),
            Err(_) if wait.is_none() || time.is_over() => {
                return Err(FetchError::nothing(key.clone(), owner, wait));
            }
            // Nothing tells when a Qt program makes one.
            Err(_) => thread::sleep(
                time.left()
                    .map_or(Follower::PAUSE, |left| left.min(Follower::PAUSE)),
            ),
        }
    }
}
