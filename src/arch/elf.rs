//! ELF: the names and tables of the assembly.

/// The label in `wasmtrap_call` at which a trap resumes.
macro_rules! landing_label {
    () => {
        "wasmtrap_landing"
    };
}
pub(crate) use landing_label;

/// The one at which a trap of the Mach server's making resumes.
#[cfg(wasmtrap_mach)]
macro_rules! server_landing_label {
    () => {
        "wasmtrap_server_landing"
    };
}
#[cfg(wasmtrap_mach)]
pub(crate) use server_landing_label;

/// The label in `wasmtrap_call` behind its checks.
macro_rules! prepared_call_label {
    () => {
        "wasmtrap_prepared_call"
    };
}
pub(crate) use prepared_call_label;

/// The label to which `wasmtrap_raise` goes.
macro_rules! raise_landing_label {
    () => {
        "wasmtrap_raise_landing"
    };
}
pub(crate) use raise_landing_label;

/// The label to which a signal handler goes that leaves by a jump.
#[cfg(target_arch = "x86_64")]
macro_rules! jump_landing_label {
    () => {
        "wasmtrap_jump_landing"
    };
}
#[cfg(target_arch = "x86_64")]
pub(crate) use jump_landing_label;

/// Defines it.
#[cfg(target_arch = "x86_64")]
macro_rules! define_jump_landing {
    () => {
        $crate::arch::define_label!($crate::arch::jump_landing_label!())
    };
}
#[cfg(target_arch = "x86_64")]
pub(crate) use define_jump_landing;

/// Defines a label that other functions see.
macro_rules! define_label {
    ($label:expr) => {
        concat!(".globl ", $label, "\n.hidden ", $label, "\n", $label, ":")
    };
}
pub(crate) use define_label;

/// Symbols tell them already.
macro_rules! label_addresses {
    () => {
        ""
    };
}
pub(crate) use label_addresses;

/// The address of a symbol in a register.
#[cfg(target_arch = "x86_64")]
macro_rules! address_of {
    ($register:literal, $symbol:expr) => {
        concat!("lea ", $register, ", [rip + ", $symbol, "]")
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! address_of {
    ($register:literal, $symbol:expr) => {
        concat!("adrp ", $register, ", ", $symbol, "\nadd ", $register, ", ", $register, ", :lo12:", $symbol)
    };
}

pub(crate) use address_of;

/// The address of a label of `wasmtrap_call`.
macro_rules! address_of_label {
    ($label:expr) => {{
        let address: usize;
        // SAFETY: takes the address of a label in the same object.
        unsafe {
            core::arch::asm!(
                address_of!("{0}", $label),
                out(reg) address,
                options(nostack, nomem, preserves_flags, pure)
            );
        }
        address
    }};
}

/// Where a trap resumes, with the stack pointer at the activation.
pub(crate) fn landing() -> usize {
    address_of_label!(landing_label!())
}

/// The same for a trap that the Mach server has made: the record is the one that the server writes.
#[cfg(wasmtrap_mach)]
pub(crate) fn server_landing() -> usize {
    address_of_label!(server_landing_label!())
}

/// The dynamic section of the object that this code is in; null if it has none. By the GOT, because what is not there
/// has no distance from here. There is none in a program that is linked statically, at a fixed place: the symbol is
/// weak where it is used, because the compiler may put this function and a `global_asm!` into two object files.
pub(crate) fn dynamic_section<T>() -> *const T {
    let section;
    // SAFETY: takes the address of what the linker defines, or null.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        core::arch::asm!(
            ".weak _DYNAMIC",
            ".hidden _DYNAMIC",
            "mov {0}, qword ptr [rip + _DYNAMIC@GOTPCREL]",
            out(reg) section,
            options(nostack, preserves_flags, pure, readonly)
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        core::arch::asm!(
            ".weak _DYNAMIC",
            ".hidden _DYNAMIC",
            "adrp {0}, :got:_DYNAMIC",
            "ldr {0}, [{0}, :got_lo12:_DYNAMIC]",
            out(reg) section,
            options(nostack, preserves_flags, pure, readonly)
        );
    }
    section
}

/// Where `wasmtrap_call` begins, under a name that nobody can put a function of his own under.
macro_rules! define_itself {
    () => {
        $crate::arch::define_label!("wasmtrap_protected_call")
    };
}
pub(crate) use define_itself;

/// Calls it.
#[cfg(target_arch = "x86_64")]
macro_rules! call_itself {
    () => {
        "call wasmtrap_protected_call"
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! call_itself {
    () => {
        "bl wasmtrap_protected_call"
    };
}
pub(crate) use call_itself;

/// Ends `wasmtrap_raise`: goes to its landing.
#[cfg(target_arch = "x86_64")]
macro_rules! jump_to_raise_landing {
    () => {
        concat!("jmp ", $crate::arch::raise_landing_label!())
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! jump_to_raise_landing {
    () => {
        concat!("b ", $crate::arch::raise_landing_label!())
    };
}
pub(crate) use jump_to_raise_landing;

/// Calls what follows the checks of `wasmtrap_call`.
#[cfg(target_arch = "x86_64")]
macro_rules! call_prepared {
    () => {
        concat!("call ", $crate::arch::prepared_call_label!())
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! call_prepared {
    () => {
        concat!("bl ", $crate::arch::prepared_call_label!())
    };
}
pub(crate) use call_prepared;

/// Names the personality routine (operand `personality`) and the table below for the unwinder. The numbers are DWARF's
/// pointer encodings: indirect, pc-relative, 4 bytes; and pc-relative, 4 bytes.
macro_rules! unwind_tables {
    () => {
        ".cfi_personality 0x9b, wasmtrap_personality\n.cfi_lsda 0x1b, wasmtrap_lsda"
    };
}
pub(crate) use unwind_tables;

/// Whether the unwinder may be missing: its functions are weak then, and null. musl's own programs have none, and
/// nobody there unwinds but who has brought one (musl's pthread_cancel does not).
#[cfg(target_env = "musl")]
macro_rules! unwinder_is_optional {
    () => {
        ".weak {personality}\n.weak {resume_unwinding}"
    };
}
#[cfg(not(target_env = "musl"))]
macro_rules! unwinder_is_optional {
    () => {
        ""
    };
}
pub(crate) use unwinder_is_optional;

/// Says that the call between labels 4 and 5 has a cleanup at label 6, where 20 is the function's start: no landing-pad
/// base, no types, call sites in uleb128.
macro_rules! exception_table {
    () => {
        concat!(
            $crate::arch::unwinder_is_optional!(),
            r#"
        .pushsection .gcc_except_table, "a", @progbits
        .balign 4
wasmtrap_lsda:
        .byte 0xff, 0xff, 0x01
        .uleb128 81f - 80f
80:
        .uleb128 4b - 20b, 5b - 4b, 6b - 20b, 0
81:
        .popsection
        .pushsection .data.rel.ro.wasmtrap_personality, "aw", @progbits
        .balign 8
wasmtrap_personality:
        .8byte {personality}
        .popsection
        "#
        )
    };
}
pub(crate) use exception_table;

/// What orders a call's store to its thread's list before its look at `attention`: nothing here. Linux has every thread
/// pass a barrier when a shutdown asks (membarrier(2)), and where it cannot, no call takes the way that this is on.
macro_rules! barrier_of_a_call {
    () => {
        ""
    };
}
pub(crate) use barrier_of_a_call;

/// The symbol that the prebuilt `core` names and nothing calls: see `outside::runtime`.
#[cfg(all(feature = "c-library", panic = "abort", not(test)))]
macro_rules! define_personality_of_core {
    () => {
        core::arch::global_asm!(
            r#"
            .pushsection .text.rust_eh_personality, "ax", @progbits
            .weak rust_eh_personality
            .hidden rust_eh_personality
            .type rust_eh_personality, @function
        rust_eh_personality:
            .long 0
            .size rust_eh_personality, 4
            .popsection
            "#
        );
    };
}
#[cfg(all(feature = "c-library", panic = "abort", not(test)))]
pub(crate) use define_personality_of_core;
