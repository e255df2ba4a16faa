//! Stores: used by one thread at a time, and entered again by the host functions that they call.

use std::cell::{Cell, UnsafeCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::{AsContextMut, Caller, Engine, RootScope, StoreContextMut};

use crate::errors::{Error, Kind};

/// What Wasmtime's store carries: the way back to ours, for host functions.
pub(crate) struct Data {
    /// Valid as long as anything runs in the store: whoever runs it holds a reference count.
    store: *const Store,
}

// SAFETY: an address. What it points to says itself which thread may use it.
unsafe impl Send for Data {}

/// A store of Wasmtime's and who is using it.
pub(crate) struct Store {
    inner: UnsafeCell<wasmtime::Store<Data>>,
    /// The thread that runs something in the store, 0 for none.
    user: AtomicU64,
    /// The innermost host function's access to the store, null outside of any.
    caller: Cell<*mut Caller<'static, Data>>,
}

// SAFETY: everything in it is used only by the thread whose number is in `user`, one after the other.
unsafe impl Send for Store {}
// SAFETY: as above.
unsafe impl Sync for Store {}

/// A number for the calling thread, never 0.
fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|number| *number)
}

impl Store {
    pub(crate) fn new(engine: &Engine) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            inner: UnsafeCell::new(wasmtime::Store::new(engine, Data { store: this.as_ptr() })),
            user: AtomicU64::new(0),
            caller: Cell::new(std::ptr::null_mut()),
        })
    }

    /// Runs `use_it` with the store, whose references to garbage-collected objects live until it is done.
    pub(crate) fn enter<R>(
        &self,
        use_it: impl FnOnce(StoreContextMut<'_, Data>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let thread = this_thread();
        match self.user.compare_exchange(0, thread, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => {
                let _release = Release(self);
                // SAFETY: `user` is ours, and no other reference exists: nothing runs in the store.
                let mut scope = RootScope::new(unsafe { &mut *self.inner.get() });
                use_it(scope.as_context_mut())
            }
            Err(user) if user == thread && !self.caller.get().is_null() => {
                // SAFETY: set by `in_host_function`, which is further out on this thread's stack and does not touch it
                // until we are back.
                let caller = unsafe { &mut *self.caller.get() };
                let mut scope = RootScope::new(caller);
                use_it(scope.as_context_mut())
            }
            Err(_) => Err(Error::new(Kind::Busy, "the store is in use on another thread")),
        }
    }

    /// Runs a host function that Wasm has called.
    pub(crate) fn in_host_function<R>(caller: &mut Caller<'_, Data>, run: impl FnOnce() -> R) -> R {
        // SAFETY: see `Data`.
        let store = unsafe { &*caller.data().store };
        let outer = store.caller.replace(std::ptr::from_mut(caller).cast());
        let _back = PutBack(store, outer);
        run()
    }
}

struct Release<'a>(&'a Store);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.user.store(0, Ordering::Release);
    }
}

struct PutBack<'a>(&'a Store, *mut Caller<'static, Data>);

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        self.0.caller.set(self.1);
    }
}
