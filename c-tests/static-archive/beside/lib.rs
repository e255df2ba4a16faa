//! Another Rust library in a C program: it allocates, and unwinds from a panic.

use core::ffi::c_long;

/// The length of a vector of `count` elements; -1 if `count` is negative, by way of a panic.
#[unsafe(no_mangle)]
pub extern "C" fn beside(count: c_long) -> c_long {
    std::panic::set_hook(Box::new(|_| ()));
    let length = std::panic::catch_unwind(|| {
        let count = usize::try_from(count).expect("not negative");
        std::hint::black_box(vec![1_u8; count]).len()
    });
    length.map_or(-1, |length| length as c_long)
}
