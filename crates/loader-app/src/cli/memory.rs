//! How much memory a picture may take.

use clap::Args;
use gui_common::picture::limit::Limit;

/// How much memory a picture may take.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Memory {
    /// Refuses a picture that takes more memory than SIZE, such as 512M or 2G: while it is decoded, and as
    /// the pixels that come of it, all together.
    #[arg(long, value_name = "SIZE", default_value_t = Limit::DEFAULT)]
    pub(super) limit: Limit,
}
