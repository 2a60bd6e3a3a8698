//! The memory limit of pictures.

use clap::Args;
use gui_common::picture::limit::Limit;

/// The memory limit of pictures.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct MemoryOption {
    /// Refuse a picture that needs more memory than SIZE, such as 512M or 2G, for its pixels and
    /// its encoder together
    #[arg(long, value_name = "SIZE", default_value_t = Limit::DEFAULT)]
    pub(crate) limit: Limit,
}
