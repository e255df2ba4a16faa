//! Code that faults, and what a host does about faults: a signal handler that was there before the library.

use std::ffi::{c_int, c_void};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use wasmtrap::abi::*;
use wasmtrap::capi::wasmtrap_try_handle_signal;

/// A function whose one instruction at `at` faults, followed by its return at `after`.
#[derive(Clone, Copy)]
pub struct Stub {
    pub entry: usize,
    pub at: usize,
    pub after: usize,
    /// WASMTRAP_FAULT_*.
    pub kind: u32,
    pub access: wasmtrap_access_t,
    pub signal: c_int,
    /// What the fault means where nobody says it.
    pub code: wasmtrap_code_t,
}

impl Stub {
    pub fn touches_memory(&self) -> bool {
        self.kind == WASMTRAP_FAULT_MEMORY
    }
}

/// The stubs, given the instructions that differ: those that fault, and what makes the division's operands.
macro_rules! define_stubs {
    ($load:literal, $store:literal, $illegal:literal, $breakpoint:literal, $zero:literal, $divide:literal) => {
        std::arch::global_asm!(
            ".macro stub name, instruction:vararg",
            "label fuzz_\\name",
            "\\instruction",
            "label fuzz_\\name\\()_after",
            "ret",
            ".endm",
            ".macro label name",
            ".globl \\name",
            ".hidden \\name",
            "\\name:",
            ".endm",
            ".text",
            ".balign 64",
            "label fuzz_stubs",
            concat!("stub load, ", $load),
            concat!("stub store, ", $store),
            concat!("stub illegal, ", $illegal),
            concat!("stub breakpoint, ", $breakpoint),
            "label fuzz_zero_and_divide",
            $zero,
            concat!("stub divide, ", $divide),
            "label fuzz_stubs_end",
            ".purgem stub",
            ".purgem label",
        );
    };
}

#[cfg(target_arch = "x86_64")]
define_stubs!(
    "movzx eax, byte ptr [rdi]",
    "mov byte ptr [rdi], al",
    "ud2",
    "int3",
    "xor edx, edx; xor ecx, ecx",
    "div ecx"
);

// Its division does not fault.
#[cfg(target_arch = "aarch64")]
define_stubs!("ldrb w1, [x0]", "strb wzr, [x0]", "udf #0", "brk #0", "mov w2, wzr", "udiv w1, w2, w2");

macro_rules! address_of {
    ($label:ident) => {{
        unsafe extern "C" {
            static $label: u8;
        }
        (&raw const $label).addr()
    }};
}

pub fn stubs() -> Vec<Stub> {
    let memory = |entry, after, access| Stub {
        entry,
        at: entry,
        after,
        kind: WASMTRAP_FAULT_MEMORY,
        access,
        signal: libc::SIGSEGV,
        code: WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
    };
    let other = |entry, at, after, kind, signal, code| Stub {
        entry,
        at,
        after,
        kind,
        access: WASMTRAP_ACCESS_UNKNOWN,
        signal,
        code,
    };
    let (illegal, breakpoint) = (address_of!(fuzz_illegal), address_of!(fuzz_breakpoint));
    vec![
        memory(address_of!(fuzz_load), address_of!(fuzz_load_after), WASMTRAP_ACCESS_READ),
        memory(address_of!(fuzz_store), address_of!(fuzz_store_after), WASMTRAP_ACCESS_WRITE),
        other(
            illegal,
            illegal,
            address_of!(fuzz_illegal_after),
            WASMTRAP_FAULT_ILLEGAL,
            libc::SIGILL,
            WASMTRAP_CODE_UNREACHABLE,
        ),
        other(
            breakpoint,
            breakpoint,
            address_of!(fuzz_breakpoint_after),
            WASMTRAP_FAULT_BREAKPOINT,
            libc::SIGTRAP,
            WASMTRAP_CODE_UNREACHABLE,
        ),
        #[cfg(target_arch = "x86_64")]
        other(
            address_of!(fuzz_zero_and_divide),
            address_of!(fuzz_divide),
            address_of!(fuzz_divide_after),
            WASMTRAP_FAULT_ARITHMETIC,
            libc::SIGFPE,
            WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO,
        ),
    ]
}

/// Where the stubs are: first address and length.
pub fn stub_area() -> (usize, usize) {
    let start = address_of!(fuzz_stubs);
    (start, address_of!(fuzz_stubs_end) - start)
}

/// Memory that nobody may touch, as a linear memory's guard.
pub const GUARD_SIZE: usize = 64 * 1024;

pub fn guard() -> usize {
    static GUARD: AtomicUsize = AtomicUsize::new(0);
    static MAP: Once = Once::new();
    MAP.call_once(|| {
        // SAFETY: a fresh mapping; nothing is overwritten.
        let mapping = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            libc::mmap(std::ptr::null_mut(), GUARD_SIZE, libc::PROT_NONE, flags, -1, 0)
        };
        assert_ne!(mapping, libc::MAP_FAILED);
        GUARD.store(mapping.addr(), SeqCst);
    });
    GUARD.load(SeqCst)
}

/// The library was told that signals are the host's: the host asks it.
pub static HOST_OWNS_SIGNALS: AtomicBool = AtomicBool::new(false);

/// Where the thread goes on after the next fault that reaches the host; 0 if none is to reach it.
pub static GO_ON_AT: AtomicUsize = AtomicUsize::new(0);

/// Installs the host's handlers, once, over libFuzzer's. What nobody expects ends the process by SIGABRT, which is
/// libFuzzer's still.
pub fn install_host_handlers() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP] {
            // SAFETY: all-zero is a valid sigaction with an empty mask.
            let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
            action.sa_sigaction = host_handler as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            // SAFETY: the handler is as SA_SIGINFO wants it.
            assert_eq!(unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) }, 0);
        }
    });
}

unsafe extern "C" fn host_handler(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    if HOST_OWNS_SIGNALS.load(SeqCst) {
        // SAFETY: the kernel's arguments, handed on.
        match unsafe { wasmtrap_try_handle_signal(signal, info.cast(), context) } {
            0 => {}
            1 => return,
            other => panic!("wasmtrap_try_handle_signal returned {other}"),
        }
    }
    let after = GO_ON_AT.swap(0, SeqCst);
    assert_ne!(after, 0, "a fault was forwarded that was no affair of the host's: signal {signal}");
    // SAFETY: with SA_SIGINFO the context is the kernel's ucontext_t.
    set_pc(unsafe { &mut *context.cast::<libc::ucontext_t>() }, after);
}

fn set_pc(context: &mut libc::ucontext_t, pc: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        context.uc_mcontext.gregs[libc::REG_RIP as usize] = pc as i64;
    }
    #[cfg(target_arch = "aarch64")]
    {
        context.uc_mcontext.pc = pc as u64;
    }
}
