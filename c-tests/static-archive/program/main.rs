//! A Rust program on the C library: a trap that it raises and a panic of its own.

use core::ffi::{CStr, c_char, c_int, c_void};

#[link(name = "wasmtrap", kind = "static")]
unsafe extern "C-unwind" {
    fn wasmtrap_init(options: *const c_void) -> c_int;
    fn wasmtrap_call(function: extern "C-unwind" fn(*mut c_void), argument: *mut c_void, trap: *mut c_void) -> c_int;
    fn wasmtrap_raise(code: u32, payload: u64) -> !;
    fn wasmtrap_code_name(code: u32) -> *const c_char;
}

const OUT_OF_BOUNDS: u32 = 2;

extern "C-unwind" fn raises(_: *mut c_void) {
    // SAFETY: nothing here needs to be dropped.
    unsafe { wasmtrap_raise(OUT_OF_BOUNDS, 4660) }
}

extern "C-unwind" fn panics(_: *mut c_void) {
    panic!("passes through")
}

fn main() {
    std::panic::set_hook(Box::new(|_| ()));
    // SAFETY: null means all defaults, and no record.
    unsafe {
        assert_eq!(wasmtrap_init(core::ptr::null()), 0);
        assert_eq!(wasmtrap_call(raises, core::ptr::null_mut(), core::ptr::null_mut()), 1);
        let passed = std::panic::catch_unwind(|| {
            wasmtrap_call(panics, core::ptr::null_mut(), core::ptr::null_mut());
        });
        assert!(passed.is_err());
        println!("{} at address 4660", CStr::from_ptr(wasmtrap_code_name(OUT_OF_BOUNDS)).to_str().expect("ASCII"));
    }
}
