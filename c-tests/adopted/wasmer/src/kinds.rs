//! Every kind of trap, in a module.

use wasmer::{Instance, Memory, RuntimeError, Store, TypedFunction};
use wasmer_types::TrapCode;

pub const MODULE: &str = concat!("(module\n", include_str!("../../support/kinds.wat"), ")");

/// What each function of the table `$kinds` traps with.
pub const KINDS: [TrapCode; 11] = [
    TrapCode::HeapAccessOutOfBounds,
    TrapCode::HeapAccessOutOfBounds,
    TrapCode::HeapAccessOutOfBounds,
    TrapCode::UnreachableCodeReached,
    TrapCode::IntegerDivisionByZero,
    TrapCode::IntegerOverflow,
    TrapCode::BadConversionToInteger,
    TrapCode::TableAccessOutOfBounds,
    TrapCode::IndirectCallToNull,
    TrapCode::BadSignature,
    TrapCode::StackOverflow,
];

/// An instance in its store.
pub struct Guest {
    store: Store,
    memory: Memory,
    run: TypedFunction<(u32, u32), ()>,
    sum: TypedFunction<u32, u32>,
    act: TypedFunction<u32, ()>,
}

impl Guest {
    pub fn new(store: Store, instance: &Instance) -> Self {
        let exports = &instance.exports;
        let memory = exports.get_memory("memory").expect("memory").clone();
        let run = exports.get_typed_function(&store, "run").expect("run");
        let sum = exports.get_typed_function(&store, "sum").expect("sum");
        let act = exports.get_typed_function(&store, "act").expect("act");
        Self { store, memory, run, sum, act }
    }

    /// Has the host do something.
    pub fn act(&mut self, what: u32) -> Result<(), RuntimeError> {
        self.act.call(&mut self.store, what)
    }

    /// Traps in the way of that number, after so many pauses.
    #[track_caller]
    pub fn trap(&mut self, kind: usize, pauses: u32) {
        let error = self.run.call(&mut self.store, kind as u32, pauses).expect_err("no trap");
        let expected = KINDS[kind];
        // Wasmer takes no backtrace of a stack that has overflowed.
        let frames = if expected == TrapCode::StackOverflow { 0 } else { 2 };
        assert!(error.trace().len() >= frames, "kind {kind}: {error:?}");
        assert_eq!(error.clone().to_trap(), Some(expected), "kind {kind}: {error:?}");
        let mut sum = [0; 4];
        self.memory.view(&self.store).read(16, &mut sum).expect("in bounds");
        assert_eq!(u32::from_le_bytes(sum), (1..=pauses).sum::<u32>(), "kind {kind}: what the guest has added up");
    }

    /// Traps in each way, and goes on.
    #[track_caller]
    pub fn trap_in_each_way(&mut self) {
        for kind in 0..KINDS.len() {
            self.trap(kind, 3);
        }
        assert_eq!(self.sum.call(&mut self.store, 4).expect("no trap"), 10);
    }
}
