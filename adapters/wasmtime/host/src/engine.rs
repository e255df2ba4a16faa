//! Engines, and the modules loaded into them.

use std::ffi::CString;

use wasmtime::{Engine, ImportType, Module};

use crate::configuration::configuration;
use crate::container;
use crate::errors::{Error, Kind, c_string};
use crate::release;
use crate::values::type_numbers;
use crate::wasmtrap;

/// What can be set.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(crate) struct Config {
    pub(crate) struct_size: usize,
    pub(crate) max_wasm_stack: usize,
    pub(crate) no_backtrace: u32,
    pub(crate) reserved: u32,
}

pub(crate) fn new_engine(config: &Config) -> Result<Engine, Error> {
    if config.no_backtrace > 1 {
        let got = config.no_backtrace;
        return Err(Error::new(Kind::Argument, format_args!("config->no_backtrace is {got}, not 0 or 1")));
    }
    if config.reserved != 0 {
        return Err(Error::new(Kind::Argument, format_args!("config->reserved is {}, not 0", config.reserved)));
    }
    wasmtrap::set_up().map_err(|why| Error::new(Kind::Engine, why))?;
    let mut wasmtime = configuration();
    if config.max_wasm_stack != 0 {
        wasmtime.max_wasm_stack(config.max_wasm_stack);
    }
    if config.no_backtrace == 1 {
        release::without_backtraces(&mut wasmtime);
    }
    Engine::new(&wasmtime).map_err(|error| Error::from_wasmtime(&error, Kind::Engine))
}

/// A module, and what it imports in C's terms.
pub(crate) struct LoadedModule {
    pub(crate) inner: Module,
    pub(crate) imports: Vec<Import>,
}

/// An import; a function has its types.
pub(crate) struct Import {
    pub(crate) module_name: CString,
    pub(crate) name: CString,
    pub(crate) function: Option<(Vec<u32>, Vec<u32>)>,
}

/// Loads a file of the compiler's.
pub(crate) fn load_module(engine: &Engine, file: &[u8]) -> Result<LoadedModule, Error> {
    let module = container::unpack(file).map_err(|why| Error::new(Kind::Module, why))?;
    // SAFETY: the digest says that these are the bytes that the compiler wrote, and the header that files come from
    // those who may run machine code.
    let inner = unsafe { Module::deserialize(engine, module) };
    let inner = inner.map_err(|error| Error::from_wasmtime(&error, Kind::Module))?;
    let imports = inner.imports().map(|import| Import::new(&import)).collect();
    Ok(LoadedModule { inner, imports })
}

impl Import {
    fn new(import: &ImportType<'_>) -> Self {
        let function = import.ty().func().map(|kind| (type_numbers(kind.params()), type_numbers(kind.results())));
        Self { module_name: c_string(import.module()), name: c_string(import.name()), function }
    }
}
