//! The file that the compiler writes and the host loads: Wasmtime's own compiled module behind a header with its length
//! and digest.
//!
//! Wasmtime trusts the insides of what it deserializes, so that whether a file is whole is found out here, before it
//! looks. This guards against accidents; against malice only a file's origin does.

use sha2::{Digest, Sha256};

const MAGIC: &[u8; 16] = b"wasmtrap module\n";
const DIGEST: usize = 32;
const HEADER: usize = MAGIC.len() + 8 + DIGEST;

/// The file's bytes for a compiled module.
#[allow(dead_code, reason = "the compiler's half")]
pub fn pack(module: &[u8]) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    file.extend((module.len() as u64).to_le_bytes());
    file.extend(Sha256::digest(module));
    file.extend(module);
    file
}

/// The compiled module in a file's bytes, or what is wrong with them.
#[allow(dead_code, reason = "the host's half")]
pub fn unpack(file: &[u8]) -> Result<&[u8], String> {
    let Some(rest) = file.strip_prefix(MAGIC) else {
        let known = if MAGIC.starts_with(file) {
            "it is cut short"
        } else if file.starts_with(b"\0asm") {
            "it is a WebAssembly module that has not been compiled"
        } else if file.starts_with(b"\x7fELF") {
            "it is a bare output of Wasmtime's or another ELF file"
        } else {
            "it does not begin as one"
        };
        return Err(format!("this is no file of the compiler's: {known}"));
    };
    let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(|| cut_short(file.len(), HEADER))?;
    let (digest, module) = rest.split_first_chunk::<DIGEST>().ok_or_else(|| cut_short(file.len(), HEADER))?;
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if module.len() < length {
        return Err(cut_short(file.len(), length.saturating_add(HEADER)));
    }
    if module.len() > length {
        return Err(format!("the file has {} bytes after its end", module.len() - length));
    }
    if Sha256::digest(module)[..] != digest[..] {
        return Err("the file is damaged: its contents do not match their digest".to_string());
    }
    Ok(module)
}

fn cut_short(length: usize, whole: usize) -> String {
    format!("the file is cut short: it has {length} bytes of {whole}")
}
