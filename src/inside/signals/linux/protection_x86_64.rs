//! Whether an instruction of x86-64 can have made a general protection fault.
//!
//! The kernel forces SIGSEGV upon a thread for reasons of its own, with the code that a general protection fault has
//! (SI_KERNEL), and leaves the number of the thread's last exception in the context, which may have been such a fault
//! long ago. What betrays it is an instruction that cannot have made one: all that it touches is at canonical
//! addresses. Encodings: Intel's manual, volume 2, appendix A, "Opcode Map".
//!
//! Invariant: the answer is no only where the instruction is known. Every doubt is a yes.

/// The longest access of one instruction: a vector register.
const LONGEST_ACCESS: u64 = 64;

/// Whether a load or store of any length at the address is within what every processor takes as an address. Bits 47 to
/// 63 are alike in a canonical one; with five levels of page tables there are more of them.
fn is_canonical(address: u64) -> bool {
    let alike = |address: u64| matches!((address as i64) >> 47, 0 | -1);
    alike(address) && alike(address.wrapping_add(LONGEST_ACCESS))
}

/// What an instruction does to memory.
enum Touches {
    /// Nothing, or by a displacement from the program counter.
    Nothing,
    /// This address, aligned or not.
    At(u64),
    /// This address, which some of these instructions want aligned.
    AlignedAt(u64),
    Anything,
}

/// `byte` gives the bytes of the instruction one after the other, `register` the value of a general register by its
/// number in encodings.
pub(super) fn can_fault(byte: impl FnMut() -> u8, register: impl Fn(u8) -> u64) -> bool {
    match touches(byte, register) {
        Touches::Nothing => false,
        Touches::At(address) => !is_canonical(address),
        Touches::AlignedAt(address) => !is_canonical(address) || !address.is_multiple_of(LONGEST_ACCESS),
        Touches::Anything => true,
    }
}

/// How an opcode uses memory.
#[derive(Clone, Copy)]
enum Form {
    /// Its operands are registers and immediates, or the stack, whose faults are the stack segment's.
    NoMemory,
    /// A ModRM byte, whose operand may be anywhere.
    Operand,
    /// The same, aligned perhaps.
    VectorOperand,
    Unknown,
}

fn touches(mut byte: impl FnMut() -> u8, register: impl Fn(u8) -> u64) -> Touches {
    /// Instructions are not longer.
    const PREFIXES: usize = 14;
    let mut opcode = byte();
    for _ in 0..PREFIXES {
        // Operand size, repetition, and the segments that have no base any more.
        if !matches!(opcode, 0x66 | 0xf2 | 0xf3 | 0x2e | 0x36 | 0x3e | 0x26) {
            break;
        }
        opcode = byte();
    }
    let mut extension = 0;
    if let 0x40..=0x4f = opcode {
        extension = opcode & 0xf;
        opcode = byte();
    }
    let form = match opcode {
        0x0f => two_byte_form(byte()),
        0xc5 => {
            // VEX, two bytes: the extension of the register alone, inverted.
            byte();
            extension = 0;
            vector_form(byte())
        }
        _ => one_byte_form(opcode),
    };
    if matches!(form, Form::NoMemory) {
        return Touches::Nothing;
    }
    if matches!(form, Form::Unknown) {
        return Touches::Anything;
    }
    let modrm = byte();
    let (mode, number) = (modrm >> 6, modrm & 7);
    // Calls and jumps by a register or memory fault for where they go to; the push beside them does not.
    if opcode == 0xff && matches!(modrm >> 3 & 7, 2..=5) {
        return Touches::Anything;
    }
    if mode == 3 {
        return Touches::Nothing;
    }
    let extended = |number: u8, bit: u8| number | (extension >> bit & 1) << 3;
    let mut address = 0_u64;
    let mut no_base = false;
    if number == 4 {
        let sib = byte();
        let index = extended(sib >> 3 & 7, 1);
        if index != 4 {
            address = register(index) << (sib >> 6);
        }
        no_base = sib & 7 == 5 && mode == 0;
        if !no_base {
            address = address.wrapping_add(register(extended(sib & 7, 0)));
        }
    } else if number == 5 && mode == 0 {
        return Touches::Nothing;
    } else {
        address = register(extended(number, 0));
    }
    let displacement = match mode {
        1 => i64::from(byte() as i8),
        2 => i64::from(i32::from_le_bytes([byte(), byte(), byte(), byte()])),
        _ if no_base => i64::from(i32::from_le_bytes([byte(), byte(), byte(), byte()])),
        _ => 0,
    };
    let address = address.wrapping_add_signed(displacement);
    if matches!(form, Form::VectorOperand) { Touches::AlignedAt(address) } else { Touches::At(address) }
}

fn one_byte_form(opcode: u8) -> Form {
    match opcode {
        // add, or, adc, sbb, and, sub, xor, cmp: with operands, then with an immediate.
        0x00..=0x3f if opcode & 7 < 4 => Form::Operand,
        0x00..=0x3f if opcode & 7 < 6 => Form::NoMemory,
        // push, pop; push of an immediate; jumps; nop and xchg; cwde, cdq; test, mov of an immediate.
        0x50..=0x5f | 0x68 | 0x6a | 0x70..=0x7f | 0x90..=0x99 | 0xa8 | 0xa9 | 0xb0..=0xbf => Form::NoMemory,
        // leave; loops; call, jmp; flags.
        0xc9 | 0xe0..=0xe3 | 0xe8 | 0xe9 | 0xeb | 0xf5 | 0xf8 | 0xf9 | 0xfc | 0xfd => Form::NoMemory,
        // movsxd; imul; immediates; test, xchg, mov, lea; shifts; mov; x87; not, neg, mul, div; inc, dec and more.
        0x63 | 0x69 | 0x6b | 0x80 | 0x81 | 0x83..=0x8b | 0x8d | 0x8f => Form::Operand,
        0xc0 | 0xc1 | 0xc6 | 0xc7 | 0xd0..=0xd3 | 0xd8..=0xdf | 0xf6 | 0xf7 | 0xfe | 0xff => Form::Operand,
        _ => Form::Unknown,
    }
}

fn two_byte_form(opcode: u8) -> Form {
    match opcode {
        // ud2 is another exception; jumps; cpuid; bswap.
        0x0b | 0x80..=0x8f | 0xa2 | 0xc8..=0xcf => Form::NoMemory,
        // Hints; cmov; set; bt and shifts; imul; cmpxchg; bits; movzx, popcnt, bsf, bsr, movsx; xadd.
        0x0d | 0x18..=0x1f | 0x40..=0x4f | 0x90..=0x9f | 0xa3..=0xa5 | 0xab..=0xad | 0xaf..=0xb1 | 0xb3 => {
            Form::Operand
        }
        0xb6..=0xb8 | 0xba..=0xc1 | 0xc3 => Form::Operand,
        _ => vector_form(opcode),
    }
}

/// Of the opcodes that SSE and AVX share, with no third byte.
fn vector_form(opcode: u8) -> Form {
    match opcode {
        0x10..=0x17 | 0x28..=0x2f | 0x50..=0x76 | 0x7c..=0x7f | 0xc2 | 0xc4..=0xc6 | 0xd0..=0xfe => Form::VectorOperand,
        _ => Form::Unknown,
    }
}

#[cfg(test)]
#[path = "protection_x86_64_tests.rs"]
mod tests;
