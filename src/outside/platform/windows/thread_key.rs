//! A thread-specific value with a destructor, whose slot is taken at its first use.
//!
//! The loader calls the callbacks of an image's TLS directory at the end of each thread, with the thread's stack and
//! slots still there. (The callbacks of FlsAlloc come at the end of a fiber, which need not be the thread's.) They come
//! under the loader's lock, so that no destructor may wait for what another thread does under it.

use core::ffi::c_void;
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicPtr, Ordering};

use once_cell::race::OnceNonZeroUsize;
use windows_sys::Win32::Foundation::{GetLastError, SetLastError};
use windows_sys::Win32::System::SystemServices::DLL_THREAD_DETACH;
use windows_sys::Win32::System::Threading::{TLS_OUT_OF_INDEXES, TlsAlloc, TlsFree, TlsGetValue, TlsSetValue};

/// What makes a key, for an error's sentence.
pub(crate) const MAKING_A_KEY: &str = "TlsAlloc";

/// A key that exists.
#[derive(Clone, Copy)]
pub(crate) struct Key(u32);

impl Key {
    /// This thread's value, null if it has none.
    pub(crate) fn value(self) -> *mut c_void {
        // TlsGetValue says by it whether there was an error.
        // SAFETY: the slot is ours.
        unsafe {
            let last_error = GetLastError();
            let value = TlsGetValue(self.0);
            SetLastError(last_error);
            value
        }
    }

    /// Sets this thread's value. Returns an error number, or 0.
    pub(crate) fn set_value(self, value: *const c_void) -> i32 {
        // SAFETY: the slot is ours.
        unsafe { if TlsSetValue(self.0, value) != 0 { 0 } else { GetLastError() as i32 } }
    }
}

/// Never freed: the library is never unloaded once it is set up.
pub(crate) struct ThreadKey {
    /// The slot plus one, since 0 is a slot too.
    made: OnceNonZeroUsize,
    destructor: extern "C" fn(*mut c_void),
}

/// The keys that have been made. There are as many statics of this type in the library as have room here.
static MADE: [AtomicPtr<ThreadKey>; 4] = [const { AtomicPtr::new(core::ptr::null_mut()) }; 4];

impl ThreadKey {
    pub(crate) const fn new(destructor: extern "C" fn(*mut c_void)) -> Self {
        Self { made: OnceNonZeroUsize::new(), destructor }
    }

    /// The key, or the error of TlsAlloc.
    pub(crate) fn get(&'static self) -> Result<Key, i32> {
        if let Some(made) = self.made.get() {
            return Ok(Key((made.get() - 1) as u32));
        }
        // SAFETY: no arguments.
        let slot = unsafe { TlsAlloc() };
        if slot == TLS_OUT_OF_INDEXES {
            // SAFETY: no arguments.
            return Err(unsafe { GetLastError() } as i32);
        }
        let made = NonZeroUsize::new(slot as usize + 1).ok_or(0)?;
        if self.made.set(made).is_err() {
            // Another thread was first.
            // SAFETY: nobody has seen the slot.
            unsafe { TlsFree(slot) };
        }
        let this = core::ptr::from_ref(self).cast_mut();
        for place in &MADE {
            let found = place.compare_exchange(core::ptr::null_mut(), this, Ordering::AcqRel, Ordering::Acquire);
            if found.is_ok() || found == Err(this) {
                break;
            }
        }
        self.made.get().map(|made| Key((made.get() - 1) as u32)).ok_or(0)
    }
}

/// What the loader calls.
unsafe extern "system" fn on_thread_event(_image: *mut c_void, reason: u32, _reserved: *mut c_void) {
    /// A destructor may set a value anew; pthread goes round as often (PTHREAD_DESTRUCTOR_ITERATIONS).
    const ROUNDS: usize = 4;
    if reason != DLL_THREAD_DETACH {
        return;
    }
    for _ in 0..ROUNDS {
        let mut any = false;
        for place in &MADE {
            // SAFETY: null or a static.
            let Some(key) = (unsafe { place.load(Ordering::Acquire).as_ref() }) else { continue };
            let Some(made) = key.made.get() else { continue };
            let slot = Key((made.get() - 1) as u32);
            let value = slot.value();
            if !value.is_null() {
                slot.set_value(core::ptr::null());
                (key.destructor)(value);
                any = true;
            }
        }
        if !any {
            return;
        }
    }
}

/// An entry in the image's list of callbacks, which the linker sorts by the sections' names: between .CRT$XLA and
/// .CRT$XLZ, the C library's marks of its beginning and end.
#[used]
#[unsafe(link_section = ".CRT$XLB")]
static CALLBACK: unsafe extern "system" fn(*mut c_void, u32, *mut c_void) = on_thread_event;

unsafe extern "C" {
    /// The image's TLS directory, which the C library brings where somebody names it.
    static _tls_used: u8;
}

/// Has the image have a TLS directory with the callback in it.
pub(super) fn keep_callback() {
    // SAFETY: reads a byte of the directory, and the entry above.
    unsafe {
        (&raw const _tls_used).read_volatile();
        (&raw const CALLBACK).read_volatile();
    }
}
