//! libwasmtrap by its C interface: the functions that a host of adopted engines calls (`include/wasmtrap.h`).

use std::ffi::{CStr, c_char, c_int, c_void};

/// wasmtrap_client_desc_t.
#[repr(C)]
struct ClientDescription {
    struct_size: usize,
    name: *const c_char,
    options: *const c_void,
}

/// wasmtrap_code_desc_t.
#[repr(C)]
struct CodeDescription {
    struct_size: usize,
    start: *const c_void,
    length: usize,
    sites: *const c_void,
    site_count: usize,
    flags: u32,
    user: *mut c_void,
    client: u32,
    fault_kinds: u32,
}

/// wasmtrap_trap_t.
#[repr(C)]
struct Trap {
    struct_size: usize,
    frames: *mut usize,
    frames_capacity: usize,
    frame_count: usize,
    code: u32,
    source: u32,
    rest: [u64; 50],
}

/// WASMTRAP_ERR_NOT_FOUND.
pub const NOT_FOUND: c_int = -13;
const OK: c_int = 0;
const TRAPPED: c_int = 1;

unsafe extern "C" {
    fn wasmtrap_init(options: *const c_void) -> c_int;
    fn wasmtrap_client_open(description: *const ClientDescription, client: *mut u32) -> c_int;
    fn wasmtrap_client_close(client: u32) -> c_int;
    fn wasmtrap_adopt_begin(client: u32) -> c_int;
    fn wasmtrap_adopt_end(flags: u32, engine: *mut u64) -> c_int;
    fn wasmtrap_adopt_release(engine: u64) -> c_int;
    fn wasmtrap_thread_attach() -> c_int;
    fn wasmtrap_check(displaced: *mut u32) -> c_int;
    fn wasmtrap_rearm() -> c_int;
    fn wasmtrap_describe(buffer: *mut c_char, capacity: usize, length: *mut usize) -> c_int;
    fn wasmtrap_code_register(description: *const CodeDescription, id: *mut u64) -> c_int;
    fn wasmtrap_call(function: unsafe extern "C" fn(*mut c_void), argument: *mut c_void, trap: *mut Trap) -> c_int;
    fn wasmtrap_last_error() -> *const c_char;
}

/// Ends the test unless a call has succeeded.
#[track_caller]
fn must(status: c_int) {
    if status != OK {
        // SAFETY: a C string, which stays until this thread's next call.
        let why = unsafe { CStr::from_ptr(wasmtrap_last_error()) };
        panic!("libwasmtrap: {status}: {}", why.to_string_lossy());
    }
}

/// Sets the library up, and adopts what `start` starts as the default client's; the engine's id, and what `start` gave.
pub fn adopt<T>(start: impl FnOnce() -> T) -> (u64, T) {
    // SAFETY: null stands for the defaults.
    must(unsafe { wasmtrap_init(std::ptr::null()) });
    adopt_for(0, start)
}

/// The same for a client.
pub fn adopt_for<T>(client: u32, start: impl FnOnce() -> T) -> (u64, T) {
    let mut engine = 0;
    // SAFETY: a number.
    must(unsafe { wasmtrap_adopt_begin(client) });
    let started = start();
    // SAFETY: a place for a number.
    must(unsafe { wasmtrap_adopt_end(0, &mut engine) });
    (engine, started)
}

/// What the end of an adoption comes to, and what `start` gave.
pub fn try_to_adopt<T>(start: impl FnOnce() -> T) -> (c_int, T) {
    // SAFETY: a number.
    must(unsafe { wasmtrap_adopt_begin(0) });
    let started = start();
    // SAFETY: a place for a number.
    (unsafe { wasmtrap_adopt_end(0, &mut 0) }, started)
}

/// A client of the library's.
pub fn open_client() -> u32 {
    let mut client = 0;
    let description = ClientDescription {
        struct_size: size_of::<ClientDescription>(),
        name: c"an engine's".as_ptr(),
        options: std::ptr::null(),
    };
    // SAFETY: a description and a place for a number.
    must(unsafe { wasmtrap_client_open(&description, &mut client) });
    client
}

pub fn close_client(client: u32) {
    // SAFETY: a number.
    must(unsafe { wasmtrap_client_close(client) });
}

pub fn release(engine: u64) {
    // SAFETY: a number.
    must(unsafe { wasmtrap_adopt_release(engine) });
}

pub fn attach() {
    // SAFETY: no arguments.
    must(unsafe { wasmtrap_thread_attach() });
}

pub fn rearm() {
    // SAFETY: no arguments.
    must(unsafe { wasmtrap_rearm() });
}

/// Whether the library is where faults come to.
pub fn is_in_front() -> bool {
    let mut displaced = 0;
    // SAFETY: a place for a number.
    must(unsafe { wasmtrap_check(&mut displaced) });
    displaced == 0
}

pub fn describe() -> String {
    let mut text = [0; 8192];
    // SAFETY: a buffer and its length; the text ends in NUL, whatever is cut off.
    let text = unsafe {
        wasmtrap_describe(text.as_mut_ptr(), text.len(), std::ptr::null_mut());
        CStr::from_ptr(text.as_ptr())
    };
    text.to_string_lossy().into_owned()
}

/// A function that reads from the address that it is given, as if it were compiled WebAssembly.
#[cfg(target_arch = "x86_64")]
const LOAD: [u8; 3] = [0x8a, 0x07, 0xc3]; // mov (%rdi), %al; ret
#[cfg(target_arch = "aarch64")]
const LOAD: [u8; 8] = [0x00, 0x00, 0x40, 0x39, 0xc0, 0x03, 0x5f, 0xd6]; // ldrb w0, [x0]; ret

/// Code of the library's own.
pub struct OwnCode {
    load: unsafe extern "C" fn(*mut c_void),
}

impl OwnCode {
    /// Registers it.
    pub fn new() -> Self {
        const PAGE: usize = 1 << 16;
        let (write, execute) = (libc::PROT_READ | libc::PROT_WRITE, libc::PROT_READ | libc::PROT_EXEC);
        // SAFETY: a new mapping, written before it is made executable.
        let start = unsafe {
            let start = libc::mmap(std::ptr::null_mut(), PAGE, write, libc::MAP_PRIVATE | libc::MAP_ANON, -1, 0);
            assert_ne!(start, libc::MAP_FAILED);
            start.cast::<u8>().copy_from_nonoverlapping(LOAD.as_ptr(), LOAD.len());
            assert_eq!(libc::mprotect(start, PAGE, execute), 0);
            start
        };
        let description = CodeDescription {
            struct_size: size_of::<CodeDescription>(),
            start,
            length: LOAD.len(),
            sites: std::ptr::null(),
            site_count: 0,
            flags: 0,
            user: std::ptr::null_mut(),
            client: 0,
            fault_kinds: 0,
        };
        let mut id = 0;
        // SAFETY: a description and a place for a number.
        must(unsafe { wasmtrap_code_register(&description, &mut id) });
        // SAFETY: the function that was written there.
        Self { load: unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void)>(start) } }
    }

    /// Whether a load through a null pointer is the library's trap.
    pub fn traps(&self) -> bool {
        const OUT_OF_BOUNDS: u32 = 2;
        let mut trap = Trap {
            struct_size: size_of::<Trap>(),
            frames: std::ptr::null_mut(),
            frames_capacity: 0,
            frame_count: 0,
            code: 0,
            source: 0,
            rest: [0; 50],
        };
        // SAFETY: protected, so that the fault is a trap.
        let status = unsafe { wasmtrap_call(self.load, std::ptr::null_mut(), &mut trap) };
        status == TRAPPED && trap.code == OUT_OF_BOUNDS
    }
}
