//! What a Rust library needs to stand alone in a C program: an allocator and an end for panics.

use core::alloc::{GlobalAlloc, Layout};
use core::fmt::Write;

use super::platform;
use super::text::Text;

/// malloc and free, like everything else in the process.
struct Malloc;

// SAFETY: the platform's pair keeps GlobalAlloc's promises; a failure is a null pointer.
unsafe impl GlobalAlloc for Malloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        platform::allocate(layout.align().max(size_of::<usize>()), layout.size())
    }

    unsafe fn dealloc(&self, memory: *mut u8, _layout: Layout) {
        // SAFETY: came from `alloc` above.
        unsafe { platform::free(memory) };
    }
}

#[global_allocator]
static ALLOCATOR: Malloc = Malloc;

/// A panic is a bug of the library. It must not run on into foreign frames, so it ends here.
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let mut text = Text::<512>::new();
    let _ = writeln!(text, "libwasmtrap: internal error: {info}");
    text.write_to_stderr();
    // SAFETY: no arguments.
    unsafe { libc::abort() }
}

// The prebuilt `core` names a personality routine in its unwind tables, which nothing ever calls: no exception passes a
// frame of ours but that of `wasmtrap_call`, which has another. Weak, so that another Rust library in the same program
// keeps its own.
crate::arch::define_personality_of_core!();
