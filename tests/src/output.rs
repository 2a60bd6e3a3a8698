//! The output of a program, as it arrives.

use std::{
    io::Read,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Instant,
};

use crate::TIMEOUT;

/// One output of a program, collected by a thread until the program closes it.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// Everything before this was consumed by earlier waits.
    seen: usize,
    ended: bool,
}

impl Output {
    /// Starts to collect the output of `pipe`.
    pub(crate) fn collect(mut pipe: impl Read + Send + 'static) -> Output {
        let shared = Arc::new(Shared::default());
        let output = Output {
            shared: Arc::clone(&shared),
        };
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let count = pipe.read(&mut buffer).unwrap_or(0);
                let mut state = shared.state();
                state.bytes.extend_from_slice(&buffer[..count]);
                state.ended = count == 0;
                shared.changed.notify_all();
                if state.ended {
                    return;
                }
            }
        });
        output
    }

    /// Waits for the next whole line that contains `words` and returns it; the lines before it
    /// count as consumed. `Err` holds everything that was printed, if the line did not arrive.
    pub(crate) fn wait_for_line(&self, words: &str) -> Result<String, String> {
        let deadline = Instant::now() + TIMEOUT;
        let mut state = self.shared.state();
        loop {
            while let Some(line) = state.next_line() {
                if line.contains(words) {
                    return Ok(line);
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.ended || left.is_zero() {
                return Err(String::from_utf8_lossy(&state.bytes).into_owned());
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.expect("the collector does not panic").0;
        }
    }

    /// Waits until the program has closed this output, and returns all of it.
    pub(crate) fn wait_for_all(&self) -> Vec<u8> {
        let state = self.shared.state();
        let (mut state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, TIMEOUT, |state| !state.ended)
            .expect("the collector does not panic");
        std::mem::take(&mut state.bytes)
    }

    /// Returns everything that was printed so far.
    pub(crate) fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.shared.state().bytes).into_owned()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the collector does not panic")
    }
}

impl State {
    /// Takes the next line that was not consumed yet, if it is complete.
    fn next_line(&mut self) -> Option<String> {
        let rest = &self.bytes[self.seen..];
        let length = rest.iter().position(|byte| *byte == b'\n')?;
        let line = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.seen += length + 1;
        Some(line)
    }
}
