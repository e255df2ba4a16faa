//! Wasmtime in the same process, an engine with handlers of its own as well, and adopted as well: the host of
//! `adapters/wasmtime` on the crate with its default features (`c-tests/adopted/wasmtime`), by its C interface.

use std::env;
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};

use wasmer::Engine;

use crate::front::{self, Adopted};
use crate::kinds::Guest;
use crate::wasmtrap::{self, OwnCode};
use crate::{engines, mach};

/// An object of the host's.
type Handle = *mut c_void;
/// wasmtime_host_error_t, which is null where all went well.
type Error = *mut c_void;

fn from_environment(variable: &str) -> CString {
    CString::new(env::var(variable).unwrap_or_else(|_| panic!("{variable}, a file"))).expect("no NUL")
}

/// A function of the host's (`wasmtime_host.h`).
///
/// # Safety
/// `F` is the type of that function.
unsafe fn function<F: Copy>(name: &CStr) -> F {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    let library = from_environment("ADOPTED_HOST");
    // SAFETY: two strings. What the library's constructors do is Rust's own. The rest is the caller's promise.
    unsafe {
        let library = libc::dlopen(library.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        assert!(!library.is_null(), "{:?}", CStr::from_ptr(libc::dlerror()));
        let symbol = libc::dlsym(library, name.as_ptr());
        assert!(!symbol.is_null(), "{name:?}");
        std::mem::transmute_copy(&symbol)
    }
}

fn message(error: Error) -> String {
    // SAFETY: an error, and its message, which lives as long.
    unsafe {
        let message: unsafe extern "C" fn(Error) -> *const c_char = function(c"wasmtime_host_error_message");
        CStr::from_ptr(message(error)).to_string_lossy().into_owned()
    }
}

/// Ends the test unless a call has succeeded.
#[track_caller]
fn must(error: Error) {
    assert!(error.is_null(), "{}", message(error));
}

/// Calls the host's function that makes an object of another one.
#[track_caller]
fn make(name: &CStr, of: Handle) -> Handle {
    let mut made = null_mut();
    // SAFETY: a function of that kind, and a place for the object.
    unsafe {
        let make: unsafe extern "C" fn(Handle, *mut Handle) -> Error = function(name);
        must(make(of, &mut made));
    }
    made
}

/// An engine of Wasmtime's, which installs its handlers.
struct Wasmtime(Handle);

fn start() -> Wasmtime {
    // Null is for Wasmtime's defaults.
    Wasmtime(make(c"wasmtime_host_engine_new", null_mut()))
}

/// Ways to trap, functions of `traps.wat`, with their codes (WASMTRAP_CODE_*).
const WAYS: [(&CStr, u32); 6] = [
    (c"load_past_the_end", 2),
    (c"fill_past_the_end", 2),
    (c"reach_the_unreachable", 10),
    (c"divide_by_zero", 8),
    (c"call_an_empty_element", 5),
    (c"recurse_for_ever", 1),
];

/// An instance of that module, whose host function calls a guest of Wasmer's, which traps.
struct Instance {
    instance: Handle,
    _guest: Arc<Mutex<Guest>>,
}

/// wasmtime_host_callback_t.
type Callback = extern "C" fn(*mut c_void, *const c_void, usize, *mut c_void, usize) -> Error;

/// wasmtime_host_linker_define_function: linker, two names, parameters, results, the callback, its data, its release.
type DefineFunction = unsafe extern "C" fn(
    Handle,
    *const c_char,
    *const c_char,
    *const c_void,
    usize,
    *const c_void,
    usize,
    Callback,
    *const c_void,
    *const c_void,
) -> Error;

extern "C" fn trap_in_wasmer(guest: *mut c_void, _: *const c_void, _: usize, _: *mut c_void, _: usize) -> Error {
    // SAFETY: what the linker was given, which the instance keeps.
    let guest = unsafe { &*guest.cast::<Mutex<Guest>>() };
    guest.lock().expect("nobody has panicked").trap_in_each_way();
    null_mut()
}

impl Wasmtime {
    fn instantiate(&self, guest: Guest) -> Instance {
        let guest = Arc::new(Mutex::new(guest));
        let linker = make(c"wasmtime_host_linker_new", self.0);
        let store = make(c"wasmtime_host_store_new", self.0);
        let (mut module, mut instance) = (null_mut(), null_mut());
        // SAFETY: functions of these types, and what they ask for.
        unsafe {
            let load: unsafe extern "C" fn(Handle, *const c_char, *mut Handle) -> Error =
                function(c"wasmtime_host_module_load_file");
            must(load(self.0, from_environment("ADOPTED_MODULE").as_ptr(), &mut module));
            let define: DefineFunction = function(c"wasmtime_host_linker_define_function");
            let data = Arc::as_ptr(&guest).cast();
            let (name, none) = ((c"host".as_ptr(), c"refuse".as_ptr()), null());
            must(define(linker, name.0, name.1, none, 0, none, 0, trap_in_wasmer, data, none));
            let instantiate: unsafe extern "C" fn(Handle, Handle, Handle, *mut Handle) -> Error =
                function(c"wasmtime_host_instance_new");
            must(instantiate(linker, store, module, &mut instance));
        }
        Instance { instance, _guest: guest }
    }
}

impl Instance {
    fn call(&self, name: &CStr) -> Error {
        // SAFETY: a function of this type, for an export without parameters or results.
        unsafe {
            let call: unsafe extern "C" fn(Handle, *const c_char, *const c_void, usize, *mut c_void, usize) -> Error =
                function(c"wasmtime_host_call");
            call(self.instance, name.as_ptr(), null(), 0, null_mut(), 0)
        }
    }

    fn trap_in_each_way(&self) {
        for (name, code) in WAYS {
            let error = self.call(name);
            assert!(!error.is_null(), "{name:?}: no trap");
            // SAFETY: functions of these types; the error is freed after its last use.
            unsafe {
                let code_of: unsafe extern "C" fn(Error) -> u32 = function(c"wasmtime_host_error_trap_code");
                let free: unsafe extern "C" fn(Error) = function(c"wasmtime_host_error_free");
                assert_eq!(code_of(error), code, "{name:?}: {}", message(error));
                free(error);
            }
        }
    }
}

/// Both, and the library, take turns; each on top of the others' calls, too.
fn take_turns(wasmer: &Engine, wasmtime: &Wasmtime, rounds: usize) {
    let ours = OwnCode::new();
    let module = engines::kinds_module(wasmer);
    let mut guest = engines::instantiate(wasmer, &module, |_| ());
    let theirs = Arc::new(wasmtime.instantiate(engines::instantiate(wasmer, &module, |_| ())));
    let below = Shared(Arc::clone(&theirs));
    let mut outer = engines::instantiate(wasmer, &module, move |_| below.instance().trap_in_each_way());
    for _ in 0..rounds {
        guest.trap_in_each_way();
        theirs.trap_in_each_way();
        assert!(ours.traps(), "the library's own trap");
        outer.act(0).expect("Wasmtime's traps below Wasmer's host function");
        must(theirs.call(c"ask_for_a_refusal"));
        outer.trap_in_each_way();
    }
}

/// For a host function, which Wasmer wants to be Send.
struct Shared(Arc<Instance>);

impl Shared {
    fn instance(&self) -> &Instance {
        &self.0
    }
}

// SAFETY: it stays on the thread that has made it.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}
// SAFETY: an engine of Wasmtime's may be shared by threads.
unsafe impl Sync for Wasmtime {}

fn on_threads(wasmer: &Engine, wasmtime: &Wasmtime) {
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                wasmtrap::attach();
                take_turns(wasmer, wasmtime, 3);
            });
        }
    });
}

fn both(of_wasmer: &Adopted, wasmer: &Engine, of_wasmtime: &Adopted, wasmtime: &Wasmtime) {
    let before = mach::exceptions();
    take_turns(wasmer, wasmtime, 5);
    on_threads(wasmer, wasmtime);
    mach::check_that_the_task_has_heard_of_none(before);
    of_wasmer.check_that_the_library_is_in_front();
    of_wasmtime.check_that_the_library_is_in_front();
}

pub fn wasmtime_comes_after() {
    let (of_wasmer, wasmer) = engines::adopt();
    let (of_wasmtime, wasmtime) = front::adopt(start);
    both(&of_wasmer, &wasmer, &of_wasmtime, &wasmtime);
}

pub fn wasmtime_comes_before() {
    let (of_wasmtime, wasmtime) = front::adopt(start);
    let (of_wasmer, wasmer) = engines::adopt();
    both(&of_wasmer, &wasmer, &of_wasmtime, &wasmtime);
}

/// Each is released with the library on top again; then both.
pub fn one_is_released() {
    let (of_wasmtime, wasmtime) = front::adopt(start);
    let (of_wasmer, wasmer) = engines::adopt();
    wasmtrap::release(of_wasmer.id);
    of_wasmer.check_that_the_engine_is_in_front();
    take_turns(&wasmer, &wasmtime, 3);
    wasmtrap::rearm();
    of_wasmer.check_that_the_library_is_in_front();
    take_turns(&wasmer, &wasmtime, 3);
    wasmtrap::release(of_wasmtime.id);
    of_wasmtime.check_that_the_engine_is_in_front();
    take_turns(&wasmer, &wasmtime, 3);
}
