//! Explanations of the errors that shm-io passes on from both libraries.

use shm_io::{RemovalError, SinkError, SourceError};

use super::Explain;

/// Explains an error by the explanation of its variant.
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
