//! Mach-O: the names and tables of the assembly.

/// The label in `wasmtrap_call` at which a trap resumes.
macro_rules! landing_label {
    () => {
        "Lwasmtrap_landing"
    };
}
pub(crate) use landing_label;

/// The one at which a trap of the Mach server's making resumes.
macro_rules! server_landing_label {
    () => {
        "Lwasmtrap_server_landing"
    };
}
pub(crate) use server_landing_label;

/// The label in `wasmtrap_call` behind its checks.
macro_rules! prepared_call_label {
    () => {
        "Lwasmtrap_prepared_call"
    };
}
pub(crate) use prepared_call_label;

/// The label to which `wasmtrap_raise` goes.
macro_rules! raise_landing_label {
    () => {
        "Lwasmtrap_raise_landing"
    };
}
pub(crate) use raise_landing_label;

/// No signal handler leaves by a jump.
#[cfg(target_arch = "x86_64")]
macro_rules! define_jump_landing {
    () => {
        ""
    };
}
#[cfg(target_arch = "x86_64")]
pub(crate) use define_jump_landing;

/// Defines a label in the middle of a function. It must be one of the assembler's own, with an L: to ld64 and LLD any
/// other one starts an entry in `__unwind_info`, `.alt_entry` or not, and from there to the function's end an exception
/// finds no unwind information, in the landing pad too. Other functions find it by `label_addresses`.
macro_rules! define_label {
    ($label:expr) => {
        concat!($label, ":")
    };
}
pub(crate) use define_label;

/// Where the labels are that other functions have to know. The names of the assembler's labels end with their object
/// file, these do not.
macro_rules! label_addresses {
    () => {
        r#"
        .pushsection __DATA,__const
        .private_extern _wasmtrap_landing_address
        .private_extern _wasmtrap_server_landing_address
        .private_extern _wasmtrap_raise_landing_address
        .private_extern _wasmtrap_prepared_call_address
        .globl _wasmtrap_landing_address
        .globl _wasmtrap_server_landing_address
        .globl _wasmtrap_raise_landing_address
        .globl _wasmtrap_prepared_call_address
        .balign 8
_wasmtrap_landing_address:
        .quad Lwasmtrap_landing
_wasmtrap_server_landing_address:
        .quad Lwasmtrap_server_landing
_wasmtrap_raise_landing_address:
        .quad Lwasmtrap_raise_landing
_wasmtrap_prepared_call_address:
        .quad Lwasmtrap_prepared_call
        .popsection
        "#
    };
}
pub(crate) use label_addresses;

unsafe extern "C" {
    safe static wasmtrap_landing_address: usize;
    safe static wasmtrap_server_landing_address: usize;
}

/// Where a trap resumes, with the stack pointer at the activation.
pub(crate) fn landing() -> usize {
    wasmtrap_landing_address
}

/// The same for a trap that the Mach server has made: the record is the one that the server writes.
pub(crate) fn server_landing() -> usize {
    wasmtrap_server_landing_address
}

/// `wasmtrap_call` has its name, which in a two-level namespace is nobody else's.
macro_rules! define_itself {
    () => {
        ""
    };
}
pub(crate) use define_itself;

/// Calls it.
#[cfg(target_arch = "x86_64")]
macro_rules! call_itself {
    () => {
        "call _wasmtrap_call"
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! call_itself {
    () => {
        "bl _wasmtrap_call"
    };
}
pub(crate) use call_itself;

/// Ends `wasmtrap_raise`: goes to its landing.
#[cfg(target_arch = "x86_64")]
macro_rules! jump_to_raise_landing {
    () => {
        "jmp qword ptr [rip + _wasmtrap_raise_landing_address]"
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! jump_to_raise_landing {
    () => {
        concat!(
            "adrp x16, _wasmtrap_raise_landing_address@PAGE\n",
            "ldr x16, [x16, _wasmtrap_raise_landing_address@PAGEOFF]\n",
            "br x16"
        )
    };
}
pub(crate) use jump_to_raise_landing;

/// Calls what follows the checks of `wasmtrap_call`.
#[cfg(target_arch = "x86_64")]
macro_rules! call_prepared {
    () => {
        "call qword ptr [rip + _wasmtrap_prepared_call_address]"
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! call_prepared {
    () => {
        concat!(
            "adrp x16, _wasmtrap_prepared_call_address@PAGE\n",
            "ldr x16, [x16, _wasmtrap_prepared_call_address@PAGEOFF]\n",
            "blr x16"
        )
    };
}
pub(crate) use call_prepared;

/// Names the personality routine (operand `personality`) and the table below for the unwinder. The numbers are DWARF's
/// pointer encodings: indirect, pc-relative, 4 bytes; and pc-relative, a pointer's size.
macro_rules! unwind_tables {
    () => {
        ".cfi_personality 0x9b, {personality}\n.cfi_lsda 0x10, GCC_except_table_wasmtrap_call"
    };
}
pub(crate) use unwind_tables;

/// Says that the call between labels 4 and 5 has a cleanup at label 6, where 20 is the function's start: no landing-pad
/// base, no types, call sites in uleb128. Compilers name their tables like this one.
macro_rules! exception_table {
    () => {
        r#"
        .pushsection __TEXT,__gcc_except_tab
        .balign 4
GCC_except_table_wasmtrap_call:
        .byte 0xff, 0xff, 0x01
        .uleb128 81f - 80f
80:
        .uleb128 4b - 20b, 5b - 4b, 6b - 20b, 0
81:
        .popsection
        "#
    };
}
pub(crate) use exception_table;

/// What orders a call's store to its thread's list before its look at `attention`. Here one thread cannot have others
/// pass a barrier, so each call has one of its own.
macro_rules! barrier_of_a_call {
    () => {
        $crate::arch::barrier!()
    };
}
pub(crate) use barrier_of_a_call;

/// The address of a symbol in a register.
#[cfg(target_arch = "aarch64")]
macro_rules! address_of {
    ($register:literal, $symbol:expr) => {
        concat!("adrp ", $register, ", ", $symbol, "@PAGE\nadd ", $register, ", ", $register, ", ", $symbol, "@PAGEOFF")
    };
}
#[cfg(target_arch = "x86_64")]
macro_rules! address_of {
    ($register:literal, $symbol:expr) => {
        concat!("lea ", $register, ", [rip + ", $symbol, "]")
    };
}
pub(crate) use address_of;

/// The symbol that the prebuilt `core` names and nothing calls: see `outside::runtime`.
#[cfg(all(feature = "c-library", panic = "abort", not(test)))]
macro_rules! define_personality_of_core {
    () => {
        core::arch::global_asm!(
            r#"
            .pushsection __TEXT,__text
            .globl _rust_eh_personality
            .weak_definition _rust_eh_personality
            .private_extern _rust_eh_personality
            .balign 4
        _rust_eh_personality:
            .long 0
            .popsection
            "#
        );
    };
}
#[cfg(all(feature = "c-library", panic = "abort", not(test)))]
pub(crate) use define_personality_of_core;
