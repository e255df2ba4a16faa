//! Functions of C's that Wasm calls.

use std::ffi::{CStr, c_char, c_void};

use wasmtime::{AsContextMut, Caller, Result, Val, ValType};

use crate::errors::{Error, HostFunctionFailed, Kind};
use crate::store::{Data, Store};
use crate::values::{Value, type_number};

/// wasmtime_host_callback_t.
pub(crate) type Callback = unsafe extern "C" fn(*mut c_void, *const Value, usize, *mut Value, usize) -> *mut Error;

/// C's function with its data, which it is given back when nobody can call it any more.
pub(crate) struct HostFunction {
    pub(crate) callback: Callback,
    pub(crate) data: *mut c_void,
    pub(crate) release: Option<unsafe extern "C" fn(*mut c_void)>,
}

// SAFETY: the header says that a linker with functions is used where they may be called; the data is C's affair.
unsafe impl Send for HostFunction {}
// SAFETY: as above.
unsafe impl Sync for HostFunction {}

impl Drop for HostFunction {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: C's promise; it is called once, here.
            unsafe { release(self.data) };
        }
    }
}

impl HostFunction {
    /// Runs it for Wasm.
    pub(crate) fn run(
        &self,
        mut caller: Caller<'_, Data>,
        arguments: &[Val],
        results: &mut [Val],
        result_types: &[ValType],
    ) -> Result<()> {
        let mut given = Vec::with_capacity(arguments.len());
        for argument in arguments {
            given.push(Value::from_wasmtime(caller.as_context_mut(), argument)?);
        }
        let mut answers: Vec<_> = result_types.iter().map(|kind| Value::zero(type_number(kind))).collect();
        let error = Store::in_host_function(&mut caller, || {
            // SAFETY: C's promise; the arrays live during the call and have the lengths that are said.
            unsafe { (self.callback)(self.data, given.as_ptr(), given.len(), answers.as_mut_ptr(), answers.len()) }
        });
        if !error.is_null() {
            // SAFETY: C hands over an error that it got from us.
            let error = unsafe { Box::from_raw(error) };
            return Err(HostFunctionFailed(error.message.to_string_lossy().into_owned()).into());
        }
        for (number, ((result, answer), kind)) in results.iter_mut().zip(answers).zip(result_types).enumerate() {
            *result = answer.to_wasmtime(caller.as_context_mut(), kind).map_err(|error| {
                wasmtime::Error::from(HostFunctionFailed(format!("result {number} of the host function is {error}")))
            })?;
        }
        Ok(())
    }
}

/// An error that a host function makes.
///
/// # Safety
/// `message` is null or a C string.
pub(crate) unsafe fn new_error(message: *const c_char) -> Error {
    let message = if message.is_null() { c"".as_ptr() } else { message };
    // SAFETY: the caller's promise.
    Error::new(Kind::Function, unsafe { CStr::from_ptr(message) }.to_string_lossy())
}
