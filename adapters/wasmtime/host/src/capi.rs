//! The functions of wasmtime_host.h: pointers are checked, converted and handed on; outputs are written on success.
#![allow(clippy::missing_safety_doc, reason = "the header is the contract")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use wasmtime::Engine;

use crate::engine::{self, Config, LoadedModule};
use crate::errors::{Error, Frame, Kind};
use crate::host_functions::{self, Callback, HostFunction};
use crate::instances::{Instance, Linker};
use crate::store;
use crate::values::Value;

/// What wasmtime_host_store_t is.
pub struct Store {
    inner: Arc<store::Store>,
    engine: Engine,
}

/// wasmtime_host_frame_t.
#[repr(C)]
pub struct FrameRecord {
    module_name: *const c_char,
    function_name: *const c_char,
    function_index: u32,
    function_offset: usize,
    module_offset: usize,
}

type Answer<T> = Result<T, Error>;

/// Null, or the error. A panic, which would be a bug, is an error too, so that it does not run into C's frames.
fn answer(run: impl FnOnce() -> Answer<()>) -> *mut Error {
    let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(Error::new(Kind::Engine, format_args!("internal error: {}", words.unwrap_or("a panic"))))
    });
    match result {
        Ok(()) => std::ptr::null_mut(),
        Err(error) => error.hand_over(),
    }
}

fn null(name: &str) -> Error {
    Error::new(Kind::Argument, format_args!("{name} is NULL"))
}

/// # Safety
/// `pointer` is null or valid as long as the result is used.
unsafe fn get<'a, T>(name: &str, pointer: *const T) -> Answer<&'a T> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(name))
}

/// # Safety
/// As for `get`; a C string.
unsafe fn text<'a>(name: &str, pointer: *const c_char) -> Answer<&'a str> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(pointer) }
        .to_str()
        .map_err(|error| Error::new(Kind::Argument, format_args!("{name} is not UTF-8: {error}")))
}

/// # Safety
/// `pointer` is null or has `length` elements as long as the result is used.
unsafe fn slice<'a, T>(name: &str, pointer: *const T, length: usize) -> Answer<&'a [T]> {
    match (pointer.is_null(), length) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Error::new(Kind::Argument, format_args!("{name} is NULL, for {length} elements"))),
        // SAFETY: the caller's promise.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(pointer, length) }),
    }
}

/// # Safety
/// As for `slice`, and nothing else looks there.
unsafe fn slice_mut<'a, T>(name: &str, pointer: *mut T, length: usize) -> Answer<&'a mut [T]> {
    match (pointer.is_null(), length) {
        (_, 0) => Ok(&mut []),
        (true, _) => Err(Error::new(Kind::Argument, format_args!("{name} is NULL, for {length} elements"))),
        // SAFETY: the caller's promise.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts_mut(pointer, length) }),
    }
}

/// Makes something for C; nothing is made where there is no place for it.
///
/// # Safety
/// `out` is null or valid for a write.
unsafe fn make<T>(name: &str, out: *mut *mut T, new: impl FnOnce() -> Answer<T>) -> Answer<()> {
    if out.is_null() {
        return Err(null(name));
    }
    let made = Box::into_raw(Box::new(new()?));
    // SAFETY: the caller's promise.
    unsafe { out.write(made) };
    Ok(())
}

/// Writes an output.
///
/// # Safety
/// `out` is null or valid for a write.
unsafe fn put<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: the caller's promise.
        unsafe { out.write(value) };
    }
}

/// # Safety
/// `object` is null, or came from `make` and is not used again.
unsafe fn free<T>(object: *mut T) {
    if !object.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(object) });
    }
}

// --- Errors ----------------------------------------------------------------------------------------------------------

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_error_kind(error: *const Error) -> u32 {
    // SAFETY: the header's: null or an error.
    unsafe { error.as_ref() }.map_or(0, |error| error.kind)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_error_message(error: *const Error) -> *const c_char {
    // SAFETY: as above.
    unsafe { error.as_ref() }.map_or(c"".as_ptr(), |error| error.message.as_ptr())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_error_reason(error: *const Error) -> *const c_char {
    // SAFETY: as above.
    unsafe { error.as_ref() }.map_or(c"".as_ptr(), |error| error.reason.as_ptr())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_error_trap_code(error: *const Error) -> u32 {
    // SAFETY: as above.
    unsafe { error.as_ref() }.map_or(0, |error| error.trap_code)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_error_frame_count(error: *const Error) -> usize {
    // SAFETY: as above.
    unsafe { error.as_ref() }.map_or(0, |error| error.frames.len())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_error_frame(error: *const Error, number: usize, out: *mut FrameRecord) -> c_int {
    // SAFETY: as above.
    let Some(frame) = unsafe { error.as_ref() }.and_then(|error| error.frames.get(number)) else { return 0 };
    if out.is_null() {
        return 0;
    }
    let name = |name: &Option<std::ffi::CString>| name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr());
    let Frame { module_name, function_name, function_index, function_offset, module_offset } = frame;
    let record = FrameRecord {
        module_name: name(module_name),
        function_name: name(function_name),
        function_index: *function_index,
        function_offset: function_offset.unwrap_or(usize::MAX),
        module_offset: module_offset.unwrap_or(usize::MAX),
    };
    // SAFETY: the header's: valid for a write.
    unsafe { out.write(record) };
    1
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_error_new(message: *const c_char) -> *mut Error {
    // SAFETY: the header's: a C string.
    unsafe { host_functions::new_error(message) }.hand_over()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_error_free(error: *mut Error) {
    // SAFETY: the header's.
    unsafe { free(error) };
}

// --- Engines and modules ---------------------------------------------------------------------------------------------

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_engine_new(config: *const Config, engine: *mut *mut Engine) -> *mut Error {
    answer(|| {
        let mut chosen = Config::default();
        if !config.is_null() {
            // SAFETY: the header's: it begins with its size.
            let size = unsafe { config.cast::<usize>().read() };
            if size != size_of::<Config>() {
                let message = format!("config->struct_size is {size}, not {}", size_of::<Config>());
                return Err(Error::new(Kind::Argument, message));
            }
            // SAFETY: it has the size that it says.
            chosen = unsafe { config.read() };
        }
        // SAFETY: the header's.
        unsafe { make("engine", engine, || engine::new_engine(&chosen)) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_engine_free(engine: *mut Engine) {
    // SAFETY: the header's.
    unsafe { free(engine) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_module_load(
    engine: *const Engine,
    bytes: *const u8,
    length: usize,
    module: *mut *mut LoadedModule,
) -> *mut Error {
    // SAFETY: the header's.
    answer(|| unsafe {
        let (engine, file) = (get("engine", engine)?, slice("bytes", bytes, length)?);
        make("module", module, || engine::load_module(engine, file))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_module_load_file(
    engine: *const Engine,
    path: *const c_char,
    module: *mut *mut LoadedModule,
) -> *mut Error {
    // SAFETY: the header's.
    answer(|| unsafe {
        let engine = get("engine", engine)?;
        let path = text("path", path)?;
        make("module", module, || {
            let in_file = |why: &dyn std::fmt::Display| Error::new(Kind::Module, format_args!("{path}: {why}"));
            let file = std::fs::read(Path::new(path)).map_err(|error| in_file(&error))?;
            engine::load_module(engine, &file).map_err(|error| match error.kind == Kind::Module as u32 {
                true => in_file(&error.message.to_string_lossy()),
                false => error,
            })
        })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_module_free(module: *mut LoadedModule) {
    // SAFETY: the header's.
    unsafe { free(module) };
}

/// wasmtime_host_import_t.
#[repr(C)]
pub struct ImportRecord {
    module_name: *const c_char,
    name: *const c_char,
    is_function: u32,
    parameters: *const u32,
    parameter_count: usize,
    results: *const u32,
    result_count: usize,
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_module_import(
    module: *const LoadedModule,
    number: usize,
    out: *mut ImportRecord,
) -> c_int {
    // SAFETY: the header's: null or a module.
    let Some(import) = unsafe { module.as_ref() }.and_then(|module| module.imports.get(number)) else { return 0 };
    if out.is_null() {
        return 0;
    }
    let (parameters, results): (&[u32], &[u32]) = match &import.function {
        Some((parameters, results)) => (parameters, results),
        None => (&[], &[]),
    };
    let record = ImportRecord {
        module_name: import.module_name.as_ptr(),
        name: import.name.as_ptr(),
        is_function: u32::from(import.function.is_some()),
        parameters: parameters.as_ptr(),
        parameter_count: parameters.len(),
        results: results.as_ptr(),
        result_count: results.len(),
    };
    // SAFETY: the header's: valid for a write.
    unsafe { out.write(record) };
    1
}

// --- Stores, linkers, instances --------------------------------------------------------------------------------------

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_store_new(engine: *const Engine, store: *mut *mut Store) -> *mut Error {
    // SAFETY: the header's.
    answer(|| unsafe {
        let engine = get("engine", engine)?;
        make("store", store, || Ok(Store { inner: store::Store::new(engine), engine: engine.clone() }))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_store_free(store: *mut Store) {
    // SAFETY: the header's.
    unsafe { free(store) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_linker_new(engine: *const Engine, linker: *mut *mut Linker) -> *mut Error {
    // SAFETY: the header's.
    answer(|| unsafe {
        let engine = get("engine", engine)?;
        make("linker", linker, || Ok(Linker::new(engine)))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_linker_free(linker: *mut Linker) {
    // SAFETY: the header's.
    unsafe { free(linker) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_linker_define_function(
    linker: *const Linker,
    module_name: *const c_char,
    name: *const c_char,
    parameters: *const u32,
    parameter_count: usize,
    results: *const u32,
    result_count: usize,
    callback: Option<Callback>,
    data: *mut c_void,
    release: Option<unsafe extern "C" fn(*mut c_void)>,
) -> *mut Error {
    // Made first, so that `release` gets the data whatever fails. An absent callback is never called.
    unsafe extern "C" fn none(_: *mut c_void, _: *const Value, _: usize, _: *mut Value, _: usize) -> *mut Error {
        std::ptr::null_mut()
    }
    let function = HostFunction { callback: callback.unwrap_or(none), data, release };
    // SAFETY: the header's.
    answer(|| unsafe {
        let linker = get("linker", linker)?;
        let (module_name, name) = (text("module_name", module_name)?, text("name", name)?);
        let parameters = slice("parameters", parameters, parameter_count)?;
        let results = slice("results", results, result_count)?;
        if callback.is_none() {
            return Err(null("callback"));
        }
        linker.define_function(module_name, name, parameters, results, function)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_linker_define_instance(
    linker: *const Linker,
    module_name: *const c_char,
    instance: *const Instance,
) -> *mut Error {
    // SAFETY: the header's.
    answer(|| unsafe {
        get("linker", linker)?.define_instance(text("module_name", module_name)?, get("instance", instance)?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_instance_new(
    linker: *const Linker,
    store: *const Store,
    module: *const LoadedModule,
    instance: *mut *mut Instance,
) -> *mut Error {
    // SAFETY: the header's.
    answer(|| unsafe {
        let (linker, store, module) = (get("linker", linker)?, get("store", store)?, get("module", module)?);
        make("instance", instance, || linker.instantiate(&store.inner, &store.engine, &module.inner))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_instance_free(instance: *mut Instance) {
    // SAFETY: the header's.
    unsafe { free(instance) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_instance_store(instance: *const Instance, store: *mut *mut Store) -> *mut Error {
    // SAFETY: the header's.
    answer(|| unsafe {
        let instance = get("instance", instance)?;
        make("store", store, || Ok(Store { inner: instance.store.clone(), engine: instance.engine.clone() }))
    })
}

// --- Using an instance -----------------------------------------------------------------------------------------------

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_call(
    instance: *const Instance,
    name: *const c_char,
    arguments: *const Value,
    argument_count: usize,
    results: *mut Value,
    result_count: usize,
) -> *mut Error {
    // SAFETY: the header's.
    answer(|| unsafe {
        let (instance, name) = (get("instance", instance)?, text("name", name)?);
        let arguments = slice("arguments", arguments, argument_count)?;
        instance.call(name, arguments, slice_mut("results", results, result_count)?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_function_type(
    instance: *const Instance,
    name: *const c_char,
    parameters: *mut u32,
    parameter_capacity: usize,
    parameter_count: *mut usize,
    results: *mut u32,
    result_capacity: usize,
    result_count: *mut usize,
) -> *mut Error {
    // SAFETY: the header's.
    answer(|| unsafe {
        let (instance, name) = (get("instance", instance)?, text("name", name)?);
        let parameters = slice_mut("parameters", parameters, parameter_capacity)?;
        let results = slice_mut("results", results, result_capacity)?;
        let types = instance.function_type(name)?;
        parameters.iter_mut().zip(&types.0).for_each(|(place, kind)| *place = *kind);
        results.iter_mut().zip(&types.1).for_each(|(place, kind)| *place = *kind);
        put(parameter_count, types.0.len());
        put(result_count, types.1.len());
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_global_get(
    instance: *const Instance,
    name: *const c_char,
    value: *mut Value,
) -> *mut Error {
    // SAFETY: the header's.
    answer(|| unsafe {
        put(value, get("instance", instance)?.global_get(text("name", name)?)?);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_memory_size(
    instance: *const Instance,
    name: *const c_char,
    size: *mut u64,
) -> *mut Error {
    // SAFETY: the header's.
    answer(|| unsafe {
        put(size, get("instance", instance)?.memory_size(text("name", name)?)?);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_memory_read(
    instance: *const Instance,
    name: *const c_char,
    address: u64,
    bytes: *mut u8,
    length: usize,
) -> *mut Error {
    // SAFETY: the header's.
    answer(|| unsafe {
        let (instance, name) = (get("instance", instance)?, text("name", name)?);
        instance.memory_read(name, address, slice_mut("bytes", bytes, length)?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_memory_write(
    instance: *const Instance,
    name: *const c_char,
    address: u64,
    bytes: *const u8,
    length: usize,
) -> *mut Error {
    // SAFETY: the header's.
    answer(|| unsafe {
        let (instance, name) = (get("instance", instance)?, text("name", name)?);
        instance.memory_write(name, address, slice("bytes", bytes, length)?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_host_memory_grow(
    instance: *const Instance,
    name: *const c_char,
    pages: u64,
    earlier_size: *mut u64,
) -> *mut Error {
    // SAFETY: the header's.
    answer(|| unsafe {
        put(earlier_size, get("instance", instance)?.memory_grow(text("name", name)?, pages)?);
        Ok(())
    })
}
