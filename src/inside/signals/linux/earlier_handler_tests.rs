//! Whether there is room for a frame below the code that was interrupted, and whether a frame is the kernel's.

use super::{has_room, is_on, runs_elsewhere};

/// A mapping of so many pages, all of which can be written to but those that are named.
fn pages(count: usize, without_access: &[usize]) -> (usize, usize) {
    let size = crate::shared::state::page_mask() + 1;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a mapping of its own, which stays.
    let start = unsafe { libc::mmap(core::ptr::null_mut(), count * size, protection, flags, -1, 0) };
    assert_ne!(start, libc::MAP_FAILED);
    for page in without_access {
        // SAFETY: within the mapping, of which nothing is used.
        assert_eq!(unsafe { libc::mprotect(start.wrapping_byte_add(page * size), size, libc::PROT_NONE) }, 0);
    }
    (start.addr(), size)
}

#[test]
fn a_frame_has_room_where_each_of_its_pages_can_be_written_to() {
    let (start, size) = pages(5, &[0]);
    let top = start + 5 * size;
    assert!(has_room(top, 4 * size), "down to the lowest word");
    assert!(!has_room(top, 4 * size + 8), "and not one further");
    assert!(has_room(top - 20, 4 * size - 20), "at any place");
    assert!(!has_room(top - 20, 4 * size - 12), "at any place, further");
    assert!(has_room(top - 4, size / 2), "within one page");
    assert!(!has_room(start + size - 8, 64), "within a page that cannot be");
    assert!(!has_room(100, 101), "a frame that would begin below all addresses");
}

#[test]
fn no_page_of_a_frame_is_passed_over() {
    for hole in 1..5 {
        let (start, size) = pages(6, &[hole]);
        for below in [0, 8, size / 2, size - 8] {
            let top = start + 6 * size - below;
            assert!(!has_room(top, top - start), "page {hole}, a frame that begins {below} bytes below the top");
        }
    }
}

#[test]
fn an_alternate_stack_has_its_top_and_not_its_lowest_byte() {
    let stack = |ss_flags| libc::stack_t { ss_sp: 0x1000 as *mut _, ss_flags, ss_size: 0x800 };
    for (sp, on_it) in [(0xfff, false), (0x1000, false), (0x1001, true), (0x1800, true), (0x1801, false), (0, false)] {
        assert_eq!(is_on(&stack(0), sp), on_it, "{sp:#x}");
        assert!(!is_on(&stack(libc::SS_DISABLE), sp), "{sp:#x} of none");
    }
    assert!(!is_on(&libc::stack_t { ss_sp: core::ptr::null_mut(), ss_flags: 0, ss_size: 0 }, 0), "an empty one");
}

#[test]
fn a_handler_runs_elsewhere_if_the_signal_has_brought_the_thread_to_its_alternate_stack() {
    // SAFETY: all-zero is a valid context, of code with a null stack pointer.
    let mut context: libc::ucontext_t = unsafe { core::mem::zeroed() };
    let here = (&raw const context).addr();
    for (low, high) in [(here - 0x8000, here + 0x8000), (0x1000, 0x2000)] {
        for flags in [0, libc::SS_DISABLE] {
            context.uc_stack = libc::stack_t { ss_sp: low as *mut _, ss_flags: flags, ss_size: high - low };
            assert_eq!(runs_elsewhere(false, &context), high > here && flags == 0, "{low:#x} {flags}");
            assert!(!runs_elsewhere(true, &context), "{low:#x} {flags}");
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use crate::inside::signals::context::extended_state_place;
    use crate::inside::signals::forward::Entrance;
    use crate::inside::signals::platform::earlier_handler::{kernel_called, layout};
    use libc::{siginfo_t, ucontext_t};

    const STATE: usize = 1024;

    #[repr(C, align(64))]
    struct Stack([u8; 4096]);

    /// Whether a frame whose parts are that far from where the kernel has them is taken for the kernel's.
    fn is_taken(context_off: usize, info_off: usize, state: usize) -> bool {
        let mut stack = Stack([0; 4096]);
        let base = (&raw mut stack).cast::<u8>();
        let sp = base.addr();
        let context = base.wrapping_add(8 + context_off).cast::<ucontext_t>();
        let info = layout::information(sp + 8) + info_off - sp;
        let info = base.wrapping_add(info).cast::<siginfo_t>();
        // SAFETY: within the array, which is all zeros: a valid context, and valid information.
        unsafe {
            extended_state_place(context).write(base.wrapping_add(state));
            kernel_called(&*info, &*context, Entrance { sp, entry: 0 })
        }
    }

    #[test]
    fn a_frame_is_the_kernels_where_all_its_parts_are() {
        assert!(is_taken(0, 0, STATE));
        assert!(!is_taken(16, 0, STATE), "another context");
        assert!(!is_taken(0, 16, STATE), "other information");
        assert!(!is_taken(16, 16, STATE), "both");
        assert!(!is_taken(0, 0, 8), "extended state in the frame itself");
        assert!(!is_taken(0, 0, 8 + 304 + 120), "extended state that overlaps the information");
        assert!(is_taken(0, 0, 8 + 304 + 128), "and right above it");
    }

    #[test]
    fn a_frame_takes_no_more_room_than_is_asked_for() {
        #[repr(C, align(64))]
        struct Area([u8; 4096]);
        let from = Area([0x55; 4096]);
        for state_size in [512, 832, 840, 2440] {
            let mut to = Area([0; 4096]);
            let start = (&raw const from).addr();
            let frame = layout::Frame { start, state: start + 4096 - state_size, state_size };
            let end = (&raw mut to).addr() + 4096;
            // SAFETY: all-zero is a valid context.
            let context: ucontext_t = unsafe { core::mem::zeroed() };
            let mut most = 0;
            for top in end - 64..end {
                // SAFETY: the areas are larger than a frame.
                let place = unsafe { layout::copy(&frame, &context, top) };
                most = most.max(top - place.sp);
            }
            let room = layout::size(&frame);
            assert!(most <= room && room < most + 32, "{state_size}: {most} of {room}");
        }
    }
}
