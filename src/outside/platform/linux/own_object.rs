//! What the object that this code is in (the shared library, a program, a plug-in) says of itself.

use crate::arch;

/// An entry of a dynamic section: its tag and its value (the ELF specification's Elf64_Dyn).
type Entry = [usize; 2];

const DT_NULL: usize = 0;
const DT_FLAGS_1: usize = 0x6fff_fffb;
const DF_1_NODELETE: usize = 8;

/// Whether it says that it is never unloaded (DF_1_NODELETE, which `-z nodelete` sets): our shared library does. glibc
/// heeds it (_dl_map_object_from_fd, elf/dl-load.c, and _dl_close_worker, elf/dl-close.c); musl unloads nothing.
pub(crate) fn stays_loaded() -> bool {
    // SAFETY: null, or the section, as the loader reads it.
    unsafe { says_so(arch::dynamic_section()) }
}

/// # Safety
/// Null, or the first of entries that end with DT_NULL.
unsafe fn says_so(section: *const Entry) -> bool {
    let mut entry = section;
    // SAFETY: the caller's promise.
    while let Some(&[tag, value]) = unsafe { entry.as_ref() } {
        match tag {
            DT_NULL => break,
            DT_FLAGS_1 => return value & DF_1_NODELETE != 0,
            _ => entry = entry.wrapping_add(1),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_by(entries: &[Entry]) -> bool {
        // SAFETY: each of the tests ends its entries.
        unsafe { says_so(entries.as_ptr()) }
    }

    #[test]
    fn a_program_without_the_mark_does_not_say_so() {
        assert!(!arch::dynamic_section::<Entry>().is_null());
        assert!(!stays_loaded());
    }

    #[test]
    fn the_mark_is_one_bit_of_one_entry() {
        const NOW: usize = 1;
        const OTHER: Entry = [14, 0x1234]; // DT_SONAME
        assert!(told_by(&[OTHER, [DT_FLAGS_1, DF_1_NODELETE | NOW], [DT_NULL, 0]]));
        assert!(!told_by(&[OTHER, [DT_FLAGS_1, NOW], [DT_NULL, 0]]));
        assert!(!told_by(&[OTHER, [DT_NULL, 0], [DT_FLAGS_1, DF_1_NODELETE], [DT_NULL, 0]]));
        assert!(!told_by(&[[DT_FLAGS_1 ^ 1, DF_1_NODELETE], [DT_NULL, 0]]));
        // SAFETY: null.
        assert!(!unsafe { says_so(core::ptr::null()) });
    }
}
