//! What is streamed for Qt programs.

use clap::Args;
use qt_bridge::Form;

/// What Qt programs read.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct StreamedAs {
    /// Streams it for a Qt program as qstring, qbytearray, cstring, raw or qimage; what fits the content
    /// is usual.
    #[arg(long = "as", value_name = "FORM")]
    form: Option<Form>,
}

impl StreamedAs {
    pub(super) fn form(self) -> Option<Form> {
        self.form
    }
}
