//! The actor's semaphore commands.

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use shm_core::{Key, Options, Semaphore, SemaphoreErrorKind};

/// The semaphore that the actor is attached to, if any.
#[derive(Default)]
pub(crate) struct SemaphoreHandle(Option<Semaphore>);

impl SemaphoreHandle {
    /// Runs the command that follows `semaphore`.
    pub(crate) fn act(
        &mut self,
        words: &[&str],
        key: &Key,
        options: &Options,
    ) -> Result<String, Box<dyn Error>> {
        match *words {
            ["create", units] => self.0 = Some(Semaphore::create(key, units.parse()?, options)?),
            ["open"] => self.0 = Some(Semaphore::open(key, options)?),
            ["leave"] => {
                return Ok(self
                    .0
                    .take()
                    .ok_or("not attached")?
                    .detach()
                    .removed
                    .to_string());
            }
            _ => return act(self.0.as_ref().ok_or("not attached")?, words),
        }
        Ok(String::new())
    }
}

fn act(semaphore: &Semaphore, words: &[&str]) -> Result<String, Box<dyn Error>> {
    match *words {
        ["acquire", units, milliseconds] => {
            let timeout = Duration::from_millis(milliseconds.parse()?);
            semaphore.acquire(units.parse()?, timeout)?;
        }
        ["try", units] => return Ok(semaphore.try_acquire(units.parse()?)?.to_string()),
        ["release", units] => semaphore.release(units.parse()?)?,
        ["forget", units] => return Ok(semaphore.forget(units.parse()?)?.to_string()),
        ["units"] => return Ok(format!("{} {}", semaphore.available(), semaphore.held()?)),
        ["compete", referee] => return compete(semaphore, referee.parse()?),
        _ => return Err(format!("unknown: {words:?}").into()),
    }
    Ok(String::new())
}

/// Acquires and releases until killed, or until the semaphore is removed.
///
/// The referee is a pair of System V semaphores. The first starts with as many units as ours; the
/// kernel returns the units of a process that dies before it closes the files of that process. So
/// if the referee has no unit left for a process that acquired one of ours, there were too many.
/// The second semaphore counts these violations.
fn compete(semaphore: &Semaphore, referee: i32) -> Result<String, Box<dyn Error>> {
    println!("ok competing");
    io::stdout().flush()?;
    loop {
        match semaphore.acquire(1, None) {
            Err(error) if *error.kind() == SemaphoreErrorKind::Removed => {
                return Ok("removed".into());
            }
            other => other?,
        }
        if change(referee, 0, -1, libc::IPC_NOWAIT | libc::SEM_UNDO).is_err() {
            change(referee, 1, 1, 0)?;
        } else {
            change(referee, 0, 1, libc::SEM_UNDO)?;
        }
        semaphore.release(1)?;
    }
}

/// Changes one of the referee's semaphores.
#[expect(unsafe_code, reason = "no safe API changes System V semaphores")]
fn change(referee: i32, which: u16, by: i16, flags: i32) -> io::Result<()> {
    let mut change = libc::sembuf {
        sem_num: which,
        sem_op: by,
        sem_flg: i16::try_from(flags).map_err(io::Error::other)?,
    };
    // SAFETY: the call reads one operation, which is alive during the call.
    match unsafe { libc::semop(referee, &raw mut change, 1) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
