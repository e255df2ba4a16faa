//! What ordinary code asks of the operating system, where systems differ: the same items for each.

#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
mod this;

use crate::shared::state;

pub(crate) use this::*;

pub(crate) fn page_size() -> usize {
    state::page_mask() + 1
}

/// Notes the size of a page.
pub(crate) fn note_page_size() {
    // SAFETY: no memory is involved.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    if let Ok(size) = usize::try_from(size)
        && size.is_power_of_two()
    {
        state::set_page_size(size);
    }
}
