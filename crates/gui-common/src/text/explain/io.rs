//! What shm-io passes on of the errors of both libraries, in the language of the window.

use shm_io::{RemovalError, SinkError, SourceError};

use super::Explain;

/// Explains an error whose variants are the errors of a library.
macro_rules! explain_inner {
    ($($error:ident { $($variant:ident),* })*) => {
        $(impl Explain for $error {
            fn explain(&self) -> String {
                match self {
                    $($error::$variant(error) => error.explain(),)*
                    _ => self.to_string(),
                }
            }
        })*
    };
}

explain_inner! {
    SourceError { Attach, Read, Lock, Qt }
    SinkError { Attach, Publish, ReadBack, Qt, Stream }
    RemovalError { Own, Qt }
}
