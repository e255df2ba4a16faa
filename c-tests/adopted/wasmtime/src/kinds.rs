//! Every kind of trap, in a module.

use wasmtime::{Instance, Store, Trap, TypedFunc};

pub const MODULE: &str =
    concat!("(module\n", include_str!("../../support/kinds.wat"), include_str!("more_kinds.wat"), ")");

/// What each function of the table `$kinds` traps with.
pub const KINDS: [Trap; 15] = [
    Trap::MemoryOutOfBounds,
    Trap::MemoryOutOfBounds,
    Trap::MemoryOutOfBounds,
    Trap::UnreachableCodeReached,
    Trap::IntegerDivisionByZero,
    Trap::IntegerOverflow,
    Trap::BadConversionToInteger,
    Trap::TableOutOfBounds,
    Trap::IndirectCallToNull,
    Trap::BadSignature,
    Trap::StackOverflow,
    Trap::MemoryOutOfBounds,
    Trap::NullReference,
    Trap::ArrayOutOfBounds,
    Trap::CastFailure,
];

/// An instance's exports.
#[derive(Clone)]
pub struct Exports {
    pub run: TypedFunc<(u32, u32), ()>,
    pub sum: TypedFunc<u32, u32>,
    pub act: TypedFunc<u32, ()>,
    memory: wasmtime::Memory,
}

impl Exports {
    pub fn of<T>(instance: Instance, store: &mut Store<T>) -> Self {
        Self {
            run: instance.get_typed_func(&mut *store, "run").expect("run"),
            sum: instance.get_typed_func(&mut *store, "sum").expect("sum"),
            act: instance.get_typed_func(&mut *store, "act").expect("act"),
            memory: instance.get_memory(&mut *store, "memory").expect("memory"),
        }
    }

    /// Looks whether `run` has come to what it should have: the trap of a kind, after so many pauses.
    #[track_caller]
    pub fn check<T>(&self, store: &Store<T>, result: &wasmtime::Result<()>, kind: usize, pauses: u32) {
        let error = result.as_ref().expect_err("no trap");
        assert_eq!(error.downcast_ref::<Trap>(), Some(&KINDS[kind]), "kind {kind}: {error:?}");
        let frames = error.downcast_ref::<wasmtime::WasmBacktrace>().expect("a backtrace").frames();
        assert!(frames.len() >= 2, "kind {kind}: {error:?}");
        let sum = self.memory.data(store)[16..20].try_into().map(u32::from_le_bytes).expect("four bytes");
        assert_eq!(sum, (1..=pauses).sum::<u32>(), "kind {kind}: what the guest has added up");
    }
}
