//! Why a backend cannot be had: a sentence for wasmtrap_last_error and wasmtrap_describe.

use core::fmt;

use super::text::Text;

/// What is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Obstacle {
    pub(crate) why: &'static str,
    /// What more there is to say.
    detail: Text<96>,
}

impl Obstacle {
    pub(crate) const fn new(why: &'static str) -> Self {
        Self { why, detail: Text::new() }
    }

    /// The same, with what the kernel said, or the version that is in the way.
    #[cfg_attr(not(wasmtrap_mach), allow(dead_code, reason = "a backend that is never there has nothing to add"))]
    pub(crate) fn because_of(why: &'static str, detail: impl fmt::Display) -> Self {
        let mut text = Text::new();
        // What does not fit is cut.
        let _ = fmt::Write::write_fmt(&mut text, format_args!(": {detail}"));
        Self { why, detail: text }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.why)?;
        out.write_str(self.detail.as_str())
    }
}
