//! What ordinary code asks of the operating system, where systems differ: the same items for each.

#[cfg(unix)]
mod posix;
#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
#[cfg_attr(windows, path = "windows/mod.rs")]
mod this;

use crate::shared::state;

pub(crate) use this::*;

pub(crate) fn page_size() -> usize {
    state::page_mask() + 1
}

/// Notes the size of a page.
pub(crate) fn note_page_size() {
    if let Some(size) = told_page_size()
        && size.is_power_of_two()
    {
        state::set_page_size(size);
    }
}
