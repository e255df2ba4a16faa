//! What the Mach backend knows of a thread.

use core::cell::{Cell, UnsafeCell};
use core::sync::atomic::AtomicU32;

use crate::inside::decide::{Fault, Kind};
use crate::inside::mach::state::{COUNT, Words};
use crate::inside::machine::Report;

/// EXC_TYPES_COUNT (osfmk/mach/i386/exception.h, osfmk/mach/arm/exception.h): the most entries that a thread's
/// exception ports come in.
pub(crate) const EXCEPTION_TYPES: usize = 14;

/// The id of the message by which the server is told to stop.
pub(crate) const STOP_ID: u32 = 0x5754_5350;

/// The behaviors, as 1 << behavior, that an earlier owner's port may be put back with (`policy`): for the others the
/// kernel may kill this process. Set before the first port is.
pub(crate) static SETTABLE_BEHAVIORS: AtomicU32 = AtomicU32::new(0);

/// The exception ports that a thread had when ours went on top: send rights of ours, one each.
pub(crate) struct EarlierPorts {
    pub(crate) count: u32,
    pub(crate) masks: [u32; EXCEPTION_TYPES],
    pub(crate) ports: [u32; EXCEPTION_TYPES],
    pub(crate) behaviors: [i32; EXCEPTION_TYPES],
    pub(crate) flavors: [i32; EXCEPTION_TYPES],
}

/// One entry of them.
#[derive(Clone, Copy)]
pub(crate) struct EarlierPort {
    pub(crate) mask: u32,
    pub(crate) port: u32,
    pub(crate) behavior: i32,
    pub(crate) flavor: i32,
}

impl EarlierPorts {
    pub(crate) const NONE: Self = Self {
        count: 0,
        masks: [0; EXCEPTION_TYPES],
        ports: [0; EXCEPTION_TYPES],
        behaviors: [0; EXCEPTION_TYPES],
        flavors: [0; EXCEPTION_TYPES],
    };

    pub(crate) fn iter(&self) -> impl Iterator<Item = EarlierPort> {
        let entries = self.masks.iter().zip(&self.ports).zip(self.behaviors.iter().zip(&self.flavors));
        entries.take(self.count as usize).map(|((&mask, &port), (&behavior, &flavor))| EarlierPort {
            mask,
            port,
            behavior,
            flavor,
        })
    }

    /// Adds an entry. There is room: the masks of the entries of one thread are disjoint.
    pub(crate) fn push(&mut self, entry: EarlierPort) {
        let index = self.count as usize;
        let places = (
            self.masks.get_mut(index),
            self.ports.get_mut(index),
            self.behaviors.get_mut(index),
            self.flavors.get_mut(index),
        );
        if let (Some(mask), Some(port), Some(behavior), Some(flavor)) = places {
            (*mask, *port, *behavior, *flavor) = (entry.mask, entry.port, entry.behavior, entry.flavor);
            self.count += 1;
        }
    }

    /// Whether somebody takes this exception, and may be given it back.
    pub(crate) fn owns(&self, exception: i32) -> bool {
        self.iter().any(|entry| entry.mask & (1 << exception) != 0 && entry.is_port() && entry.may_be_set())
    }
}

impl EarlierPort {
    /// Whether it is a port: neither MACH_PORT_NULL nor MACH_PORT_DEAD.
    pub(crate) fn is_port(&self) -> bool {
        self.port != 0 && self.port != u32::MAX
    }

    /// Whether the kernel lets this process set it. Where it does not, asking is fatal.
    pub(crate) fn may_be_set(&self) -> bool {
        /// MACH_EXCEPTION_CODES and its kin, osfmk/mach/exception_types.h: MACH_EXCEPTION_MASK.
        const FLAGS: u32 = 0xf000_0000;
        let settable = SETTABLE_BEHAVIORS.load(core::sync::atomic::Ordering::Relaxed);
        let behavior = 1_u32.checked_shl(self.behavior as u32 & !FLAGS).unwrap_or(0);
        !self.is_port() || settable == u32::MAX || settable & behavior != 0
    }
}

/// How often our signal handlers have been put on top. A fault that was declined before, and comes now at the same
/// place, is a new one: by way of the handlers that were on top then it never came to us.
pub(crate) static EPOCH: AtomicU32 = AtomicU32::new(0);

/// What the embedder's fault handler is doing about a thread's fault.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing.
    Idle,
    /// It runs, or has jumped out.
    Asking,
    /// It has declined a fault at `pc`, which comes again. Where the ports are bypassed, that may be as a signal which
    /// another handler, on top of ours, takes: so this holds for one epoch.
    Forwarding { pc: usize, epoch: u32 },
    /// What it has declined went on to the next level. If it comes back as a signal, nobody is asked again. The same
    /// holds for that signal.
    Declined { pc: usize, epoch: u32 },
}

/// A fault that the embedder's handler is asked about.
pub(crate) struct Callback {
    pub(crate) phase: Phase,
    /// The thread's state at the fault; afterwards, what it goes on with.
    pub(crate) words: Words,
    pub(crate) pc_is_behind: bool,
    pub(crate) fault: Fault,
    pub(crate) report: Report,
    /// The handler has made something of it.
    pub(crate) handled: bool,
}

/// The Mach half of a thread's record. The server looks at it, and writes it, only while the thread waits in the kernel
/// for the answer to its exception.
pub(crate) struct MachThread {
    /// The thread's receive right, with one send right; 0 if it has none. Atomic, because the server compares it with
    /// a message's before it believes that the message is about this thread.
    pub(crate) port: AtomicU32,
    /// The name of the thread's control port. No right of ours: the thread library holds it.
    pub(crate) thread_port: Cell<u32>,
    /// Our port is not on the thread: it was given back to the earlier owners for a fault of theirs.
    pub(crate) stepped_aside: Cell<bool>,
    pub(crate) earlier: UnsafeCell<EarlierPorts>,
    pub(crate) callback: UnsafeCell<Callback>,
    /// The mapping of the callback stack, with a guard page at its low end; null if there is none.
    pub(crate) callback_stack: Cell<*mut libc::c_void>,
    pub(crate) callback_stack_size: Cell<usize>,
    /// Bytes that the trampoline needs for the vector registers. Read in assembly.
    pub(crate) vector_state_size: usize,
}

impl MachThread {
    pub(crate) fn new() -> Self {
        let no_fault = Fault { from_kernel: false, kind: Kind::Fatal, pc: 0, address: None };
        Self {
            port: AtomicU32::new(0),
            thread_port: Cell::new(0),
            stepped_aside: Cell::new(false),
            earlier: UnsafeCell::new(EarlierPorts::NONE),
            callback: UnsafeCell::new(Callback {
                phase: Phase::Idle,
                words: [0; COUNT],
                pc_is_behind: false,
                fault: no_fault,
                report: Report::NONE,
                handled: false,
            }),
            callback_stack: Cell::new(core::ptr::null_mut()),
            callback_stack_size: Cell::new(0),
            vector_state_size: crate::inside::mach::trampoline::vector_state_size(),
        }
    }

    /// Aligned for all vector state.
    pub(crate) fn callback_stack_top(&self) -> usize {
        (self.callback_stack.get().addr() + self.callback_stack_size.get()) & !63
    }

    pub(crate) fn on_callback_stack(&self, sp: usize) -> bool {
        sp.wrapping_sub(self.callback_stack.get().addr()) <= self.callback_stack_size.get()
            && !self.callback_stack.get().is_null()
    }
}
