//! What a Qt program has put into its segment, for the commands and for saving and copying.

use std::thread;
use std::time::Duration;

use app_kit::qt::{PATIENCE, visit};
use qt_bridge::{Follower, Form, QtKey};

use super::{FetchError, Found, Patience};
use crate::user::User;

/// Takes what stands in a segment now; with `wait`, looks that long for one. The key says already whose
/// it is, and `owner` how the user calls that.
pub(crate) fn fetch(
    key: &QtKey,
    form: Option<Form>,
    owner: Option<&User>,
    wait: Option<Duration>,
) -> Result<Found, FetchError> {
    let patience = Patience::new(wait);
    loop {
        match visit(|| qt_bridge::read(key, form, PATIENCE)) {
            Ok(reading) => return Ok(Found::of_reading(reading)),
            Err(error) if !error.is_not_found() => return Err(FetchError::Qt(error)),
            Err(_) if patience.is_over() => {
                return Err(FetchError::nothing(key.clone(), owner, wait));
            }
            // Nothing tells when a Qt program makes one.
            Err(_) => thread::sleep(patience.left().unwrap_or_default().min(Follower::PAUSE)),
        }
    }
}
