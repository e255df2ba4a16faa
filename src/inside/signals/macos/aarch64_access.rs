//! Whether an instruction of arm64 can have faulted at an address.
//!
//! After an interrupt the exception state of a context is an old one (context_aarch64.rs), so that a signal that a
//! process sent can look like a fault. What betrays it is that the instruction at the program counter touches no
//! memory, or other memory. Encodings: Arm ARM, C4.1 "A64 instruction set encoding", "Loads and Stores".
//!
//! Invariant: the answer is no only where the instruction's addresses are all known. Every doubt is a yes, because the
//! address of a real fault must never be refused.

/// The most that one load or store touches: four vectors of 16 bytes.
const LONGEST_ACCESS: u64 = 64;

/// The top byte of an address can be a tag, which the processor may or may not report.
const ADDRESS_BITS: u64 = (1 << 56) - 1;

/// `register` gives the value of a general register; number 31 is the stack pointer.
pub(super) fn can_touch(instruction: u32, address: u64, pc: u64, register: impl Fn(u32) -> u64) -> bool {
    match first_address(instruction, pc, register) {
        Touches::From(first) => (address.wrapping_sub(first) & ADDRESS_BITS) < LONGEST_ACCESS,
        Touches::BlockAt(inside) => {
            /// The largest block that `dc zva` clears, and the largest cache line.
            const BLOCK: u64 = 2048;
            (address & ADDRESS_BITS) / BLOCK == (inside & ADDRESS_BITS) / BLOCK
        }
        Touches::Anything => true,
        Touches::Nothing => false,
    }
}

enum Touches {
    From(u64),
    BlockAt(u64),
    Anything,
    Nothing,
}

fn first_address(instruction: u32, pc: u64, register: impl Fn(u32) -> u64) -> Touches {
    let bits = |high: u32, low: u32| (instruction >> low) & ((1 << (high - low + 1)) - 1);
    let signed = |high: u32, low: u32| {
        let width = high - low + 1;
        i64::from(bits(high, low) << (32 - width)).wrapping_shl(32) >> (64 - width)
    };
    let base = || register(bits(9, 5));
    let base_and = |offset: i64| Touches::From(base().wrapping_add_signed(offset));

    if bits(31, 19) == 0b1_1010_1010_0001 {
        // sys: cache maintenance and dc zva, by the address in a register.
        return Touches::BlockAt(register(bits(4, 0)));
    }
    if bits(28, 25) == 0b0010 || bits(28, 25) == 0b0000 {
        // Scalable vectors, matrices, and what is not allocated.
        return Touches::Anything;
    }
    if bits(27, 27) == 0 || bits(25, 25) == 1 {
        return Touches::Nothing;
    }
    const VECTOR: u32 = 26;
    let is_vector = bits(VECTOR, VECTOR) == 1;
    match bits(29, 28) {
        // Structures of vectors; exclusive and ordered accesses, compare and swap. No offset, or one that is added
        // afterwards.
        0b00 => base_and(0),
        // A literal; else ordered accesses with an offset, tags, and copies of whole blocks.
        0b01 if bits(24, 24) == 0 => Touches::From(pc.wrapping_add_signed(signed(23, 5) * 4)),
        0b01 => Touches::Anything,
        // Pairs.
        0b10 => {
            let scale = match (is_vector, bits(31, 30)) {
                (true, size) => 4 << size,
                (false, 0b00) => 4,
                (false, 0b10) => 8,
                // ldpsw and stgp; the offsets of the two differ.
                (false, _) => return Touches::Anything,
            };
            let post_index = bits(24, 23) == 0b01;
            base_and(if post_index { 0 } else { signed(21, 15) * scale })
        }
        // Single registers.
        _ => {
            let size = if is_vector { bits(23, 23) << 2 | bits(31, 30) } else { bits(31, 30) };
            if bits(24, 24) == 1 {
                return base_and(i64::from(bits(21, 10)) << size);
            }
            match (bits(21, 21), bits(11, 10)) {
                (0, 0b01) => base_and(0), // post-index
                (0, _) => base_and(signed(20, 12)),
                (_, 0b00) => base_and(0), // atomic operations
                (_, 0b10) => {
                    let number = bits(20, 16);
                    let value = if number == 31 { 0 } else { register(number) };
                    let index = match bits(15, 13) {
                        0b010 => i64::from(value as u32),
                        0b110 => i64::from(value as i32),
                        _ => value as i64,
                    };
                    base_and(index.wrapping_shl(if bits(12, 12) == 1 { size } else { 0 }))
                }
                // A signed base.
                _ => Touches::Anything,
            }
        }
    }
}

#[cfg(test)]
#[path = "aarch64_access_tests.rs"]
mod tests;
