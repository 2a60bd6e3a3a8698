//! What shm-io passes on of the errors of both libraries, in the language of the window.

use shm_io::{RemovalError, SinkError, SourceError};

use super::Explain;

impl Explain for SourceError {
    fn explain(&self) -> String {
        match self {
            SourceError::Attach(error) => error.explain(),
            SourceError::Read(error) => error.explain(),
            SourceError::Lock(error) => error.explain(),
            SourceError::Qt(error) => error.explain(),
            _ => self.to_string(),
        }
    }
}

impl Explain for SinkError {
    fn explain(&self) -> String {
        match self {
            SinkError::Attach(error) => error.explain(),
            SinkError::Publish(error) => error.explain(),
            SinkError::ReadBack(error) => error.explain(),
            SinkError::Qt(error) => error.explain(),
            SinkError::Stream(error) => error.explain(),
            _ => self.to_string(),
        }
    }
}

impl Explain for RemovalError {
    fn explain(&self) -> String {
        match self {
            RemovalError::Own(error) => error.explain(),
            RemovalError::Qt(error) => error.explain(),
            _ => self.to_string(),
        }
    }
}
