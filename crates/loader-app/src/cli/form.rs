//! The form in which Qt programs read the content.

use clap::Args;
use qt_bridge::Form;

/// The form in which Qt programs read the content.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct FormOption {
    /// Write the content for a Qt program as qstring, qbytearray, cstring, raw or qimage [default:
    /// the form that fits the content].
    #[arg(long = "as", value_name = "FORM")]
    form: Option<Form>,
}

impl FormOption {
    pub(super) fn form(self) -> Option<Form> {
        self.form
    }
}
