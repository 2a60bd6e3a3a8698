//! How much memory a picture may take.

use clap::Args;
use gui_common::picture::limit::Limit;

/// How much memory a picture may take.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Memory {
    /// Write no picture that takes more memory than SIZE, such as 512M or 2G: its pixels, and what is made
    /// of them, all together
    #[arg(long, value_name = "SIZE", default_value_t = Limit::DEFAULT)]
    pub(crate) limit: Limit,
}
