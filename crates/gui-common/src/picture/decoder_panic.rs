//! Panics of decoders and encoders, which are third-party code that processes untrusted input.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether a panic of this thread is caught and must not be printed.
    static IS_SILENT: Cell<bool> = const { Cell::new(false) };
}

/// Runs a closure and returns `None` if it panics. The panic is not printed.
pub fn catch<T>(run: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_SILENT.get() {
                loud(info);
            }
        }));
    });
    let before = IS_SILENT.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run)).ok();
    IS_SILENT.set(before);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_returns_none_and_the_flag_is_restored() {
        assert_eq!(catch(|| 7), Some(7));
        assert_eq!(catch(|| -> u8 { panic!("of a decoder") }), None);
        assert!(!IS_SILENT.get());
        assert_eq!(catch(|| catch(|| -> u8 { panic!("within") })), Some(None));
    }
}
