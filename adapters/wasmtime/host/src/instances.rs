//! Linkers and instances: putting modules together, and using what they export.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::{AsContextMut, Engine, Extern, Func, FuncType, Memory, Module, Val};

use crate::errors::{Error, Kind};
use crate::host_functions::HostFunction;
use crate::store::{Data, Store};
use crate::values::{Value, type_numbers, type_of_number};

/// What modules import, by name.
pub(crate) struct Linker {
    engine: Engine,
    definitions: Mutex<Definitions>,
}

struct Definitions {
    linker: wasmtime::Linker<Data>,
    /// The store that defined instances belong to.
    store: Option<Arc<Store>>,
}

/// An instance, and the store that it lives in.
pub(crate) struct Instance {
    pub(crate) store: Arc<Store>,
    pub(crate) engine: Engine,
    inner: wasmtime::Instance,
}

fn argument(message: impl std::fmt::Display) -> Error {
    Error::new(Kind::Argument, message)
}

/// The types of C's numbers.
fn types(array: &str, numbers: &[u32]) -> Result<Vec<wasmtime::ValType>, Error> {
    let known = |(place, number): (usize, &u32)| {
        let unknown = || argument(format_args!("{array}[{place}] is {number}, which is no type"));
        type_of_number(*number).ok_or_else(unknown)
    };
    numbers.iter().enumerate().map(known).collect()
}

impl Linker {
    pub(crate) fn new(engine: &Engine) -> Self {
        let mut linker = wasmtime::Linker::new(engine);
        linker.allow_shadowing(true);
        Self { engine: engine.clone(), definitions: Mutex::new(Definitions { linker, store: None }) }
    }

    fn definitions(&self) -> std::sync::MutexGuard<'_, Definitions> {
        self.definitions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn define_function(
        &self,
        module: &str,
        name: &str,
        parameters: &[u32],
        results: &[u32],
        function: HostFunction,
    ) -> Result<(), Error> {
        let kind = FuncType::new(&self.engine, types("parameters", parameters)?, types("results", results)?);
        let result_types: Vec<_> = kind.results().collect();
        self.definitions()
            .linker
            .func_new(module, name, kind, move |caller, arguments, results| {
                function.run(caller, arguments, results, &result_types)
            })
            .map(|_| ())
            .map_err(|error| Error::from_wasmtime(&error, Kind::Argument))
    }

    pub(crate) fn define_instance(&self, module: &str, instance: &Instance) -> Result<(), Error> {
        if !Engine::same(&self.engine, &instance.engine) {
            return Err(argument("the linker and the instance are of two engines"));
        }
        let mut definitions = self.definitions();
        if definitions.store.as_ref().is_some_and(|store| !Arc::ptr_eq(store, &instance.store)) {
            return Err(argument("the linker has instances of another store"));
        }
        instance.store.enter(|store| {
            definitions
                .linker
                .instance(store, module, instance.inner)
                .map(|_| ())
                .map_err(|error| Error::from_wasmtime(&error, Kind::Argument))
        })?;
        definitions.store = Some(instance.store.clone());
        Ok(())
    }

    pub(crate) fn instantiate(&self, store: &Arc<Store>, engine: &Engine, module: &Module) -> Result<Instance, Error> {
        if !Engine::same(&self.engine, engine) || !Engine::same(&self.engine, module.engine()) {
            return Err(argument("the linker, the store and the module are not of one engine"));
        }
        // A copy, because the start function may call what defines something. Not instantiate_pre, which
        // would compare imports with the sizes that memories and tables had when they were defined.
        let linker = {
            let definitions = self.definitions();
            if definitions.store.as_ref().is_some_and(|other| !Arc::ptr_eq(other, store)) {
                return Err(argument("the linker has instances of another store"));
            }
            definitions.linker.clone()
        };
        let inner = store.enter(|context| {
            linker.instantiate(context, module).map_err(|error| Error::from_wasmtime(&error, Kind::Resource))
        })?;
        Ok(Instance { store: store.clone(), engine: engine.clone(), inner })
    }
}

impl Instance {
    /// Runs `use_it` with an export that `pick` wants, a `what`.
    fn with_export<E, R>(
        &self,
        name: &str,
        what: &str,
        pick: impl FnOnce(Extern) -> Option<E>,
        use_it: impl FnOnce(&mut wasmtime::StoreContextMut<'_, Data>, E) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.store.enter(|mut store| {
            let export = self.inner.get_export(&mut store, name);
            let export =
                export.ok_or_else(|| argument(format_args!("the instance exports nothing named \"{name}\"")))?;
            let export = pick(export).ok_or_else(|| argument(format_args!("the export \"{name}\" is no {what}")))?;
            use_it(&mut store, export)
        })
    }

    fn with_function<R>(
        &self,
        name: &str,
        use_it: impl FnOnce(&mut wasmtime::StoreContextMut<'_, Data>, Func) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.with_export(name, "function", Extern::into_func, use_it)
    }

    fn with_memory<R>(
        &self,
        name: &str,
        use_it: impl FnOnce(&mut wasmtime::StoreContextMut<'_, Data>, Memory) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.with_export(name, "memory", Extern::into_memory, use_it)
    }

    /// Calls a function; `results` is written only if it returns.
    pub(crate) fn call(&self, name: &str, arguments: &[Value], results: &mut [Value]) -> Result<(), Error> {
        self.with_function(name, |store, function| {
            let kind = function.ty(&store);
            let count = |what: &str, wanted: usize, got: usize| match wanted == got {
                true => Ok(()),
                false => Err(argument(format_args!("\"{name}\" has {wanted} {what}, not {got}"))),
            };
            count("parameters", kind.params().len(), arguments.len())?;
            count("results", kind.results().len(), results.len())?;
            let mut given = Vec::with_capacity(arguments.len());
            for (number, (value, kind)) in arguments.iter().zip(kind.params()).enumerate() {
                given.push(
                    value
                        .to_wasmtime(store.as_context_mut(), &kind)
                        .map_err(|error| argument(format_args!("argument {number} of \"{name}\" is {error}")))?,
                );
            }
            let mut answers = vec![Val::I32(0); results.len()];
            function
                .call(store.as_context_mut(), &given, &mut answers)
                .map_err(|error| Error::from_wasmtime(&error, Kind::Resource))?;
            let mut converted = Vec::with_capacity(answers.len());
            for answer in &answers {
                let value = Value::from_wasmtime(store.as_context_mut(), answer);
                converted.push(value.map_err(|error| Error::from_wasmtime(&error, Kind::Argument))?);
            }
            results.copy_from_slice(&converted);
            Ok(())
        })
    }

    /// The numbers of a function's types.
    pub(crate) fn function_type(&self, name: &str) -> Result<(Vec<u32>, Vec<u32>), Error> {
        self.with_function(name, |store, function| {
            let kind = function.ty(store);
            Ok((type_numbers(kind.params()), type_numbers(kind.results())))
        })
    }

    pub(crate) fn global_get(&self, name: &str) -> Result<Value, Error> {
        self.with_export(name, "global", Extern::into_global, |store, global| {
            let value = global.get(store.as_context_mut());
            Value::from_wasmtime(store.as_context_mut(), &value)
                .map_err(|error| Error::from_wasmtime(&error, Kind::Argument))
        })
    }

    pub(crate) fn memory_size(&self, name: &str) -> Result<u64, Error> {
        self.with_memory(name, |store, memory| Ok(memory.data_size(store) as u64))
    }

    pub(crate) fn memory_read(&self, name: &str, address: u64, bytes: &mut [u8]) -> Result<(), Error> {
        self.with_memory(name, |store, memory| {
            let place = place(name, memory.data_size(&*store), address, bytes.len())?;
            bytes.copy_from_slice(&memory.data(&*store)[place]);
            Ok(())
        })
    }

    pub(crate) fn memory_write(&self, name: &str, address: u64, bytes: &[u8]) -> Result<(), Error> {
        self.with_memory(name, |store, memory| {
            let place = place(name, memory.data_size(&*store), address, bytes.len())?;
            memory.data_mut(store.as_context_mut())[place].copy_from_slice(bytes);
            Ok(())
        })
    }

    pub(crate) fn memory_grow(&self, name: &str, pages: u64) -> Result<u64, Error> {
        self.with_memory(name, |store, memory| {
            memory.grow(store.as_context_mut(), pages).map_err(|error| Error::from_wasmtime(&error, Kind::Resource))
        })
    }
}

/// The bytes of a memory that are meant.
fn place(name: &str, size: usize, address: u64, length: usize) -> Result<std::ops::Range<usize>, Error> {
    let start = usize::try_from(address).ok();
    let end = start.and_then(|start| start.checked_add(length)).filter(|end| *end <= size);
    match (start, end) {
        (Some(start), Some(end)) => Ok(start..end),
        _ => Err(argument(format_args!(
            "{length} bytes at {address:#x} are not all in the memory \"{name}\", which has {size:#x} bytes"
        ))),
    }
}
