//! The lines of a `commands` file: a line number of the script, a command, its words, all apart by one blank.
//!
//! ```text
//! module FILE NAME            instantiate; NAME, or - for none, names it; it is the current instance from now on
//! definition FILE NAME        keep it for `instance`
//! instance DEFINITION NAME    instantiate a definition
//! register IMPORT NAME        let others import it
//! run CALL                    no matter what comes of it, as long as it returns
//! return N EXPECTED... WHAT   N results, each as expected
//! trap MESSAGE WHAT           and so on for exhaustion MESSAGE, exception
//! unlinkable MESSAGE FILE
//! invalid OUTCOME             "rejected" by the compiler, or "accepted"; so is malformed
//! not-compiled WHY            a module that the script needs and the compiler refused
//!
//! WHAT: invoke CALL, get INSTANCE GLOBAL, or instantiate FILE
//! CALL: INSTANCE FUNCTION N ARGUMENT...
//! ```
//!
//! Names have every byte but ASCII letters and digits and `_` as %XX, so that there is no blank in them and none is
//! empty or `-` (a lone % stands for the empty one). Numbers are hexadecimal bit patterns.

use std::fmt::Write;

use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};

/// The lines so far.
#[derive(Default)]
pub struct Commands(String);

impl Commands {
    pub fn add(&mut self, line: usize, words: Vec<String>) {
        let _ = writeln!(self.0, "{line} {}", words.join(" "));
    }

    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A name as one word.
pub fn quote(name: &str) -> String {
    let mut word = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => word.push(byte as char),
            _ => {
                let _ = write!(word, "%{byte:02x}");
            }
        }
    }
    if word.is_empty() { "%".into() } else { word }
}

/// Which of the four hierarchies a type of references is in.
fn hierarchy(kind: &HeapType<'_>) -> Result<&'static str, String> {
    use AbstractHeapType::{Any, Array, Eq, Exn, Extern, Func, I31, NoExn, NoExtern, NoFunc, None, Struct};
    match kind {
        HeapType::Abstract { ty, .. } => Ok(match ty {
            Func | NoFunc => "func",
            Extern | NoExtern => "extern",
            Any | Eq | Struct | Array | I31 | None => "any",
            Exn | NoExn => "exn",
            other => return Err(format!("the reference type {other:?}")),
        }),
        HeapType::Concrete(_) | HeapType::Exact(_) => Ok("func"),
    }
}

/// An argument: TYPE:VALUE.
pub fn argument(value: &WastArgCore<'_>) -> Result<String, String> {
    Ok(match value {
        WastArgCore::I32(value) => format!("i32:{value:x}"),
        WastArgCore::I64(value) => format!("i64:{value:x}"),
        WastArgCore::F32(value) => format!("f32:{:x}", value.bits),
        WastArgCore::F64(value) => format!("f64:{:x}", value.bits),
        WastArgCore::V128(value) => format!("v128:i8x16:{}", hexadecimal(&value.to_le_bytes())),
        WastArgCore::RefNull(kind) => format!("null:{}", hierarchy(kind)?),
        WastArgCore::RefExtern(number) => format!("extern:{number:x}"),
        WastArgCore::RefHost(number) => format!("any:{number:x}"),
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn nan<T>(pattern: &NanPattern<T>, bits: impl FnOnce(&T) -> String) -> String {
    match pattern {
        NanPattern::CanonicalNan => "canonical".into(),
        NanPattern::ArithmeticNan => "arithmetic".into(),
        NanPattern::Value(value) => bits(value),
    }
}

/// An expected result: TYPE:VALUE, TYPE:canonical, TYPE:arithmetic, TYPE:* for any; alternatives apart by |.
pub fn expectation(result: &WastRetCore<'_>) -> Result<String, String> {
    Ok(match result {
        WastRetCore::I32(value) => format!("i32:{value:x}"),
        WastRetCore::I64(value) => format!("i64:{value:x}"),
        WastRetCore::F32(pattern) => format!("f32:{}", nan(pattern, |value| format!("{:x}", value.bits))),
        WastRetCore::F64(pattern) => format!("f64:{}", nan(pattern, |value| format!("{:x}", value.bits))),
        WastRetCore::V128(pattern) => vector(pattern),
        WastRetCore::RefNull(None) => "null:*".into(),
        WastRetCore::RefNull(Some(kind)) => format!("null:{}", hierarchy(kind)?),
        WastRetCore::RefExtern(None) => "extern:*".into(),
        WastRetCore::RefExtern(Some(number)) => format!("extern:{number:x}"),
        WastRetCore::RefHost(number) => format!("any:{number:x}"),
        WastRetCore::RefFunc(_) => "func:*".into(),
        WastRetCore::RefAny => "any:*".into(),
        WastRetCore::RefEq => "eq:*".into(),
        WastRetCore::RefArray => "array:*".into(),
        WastRetCore::RefStruct => "struct:*".into(),
        WastRetCore::RefI31 => "i31:*".into(),
        WastRetCore::RefI31Shared => return Err("a shared i31".into()),
        WastRetCore::Either(cases) => cases.iter().map(expectation).collect::<Result<Vec<_>, _>>()?.join("|"),
    })
}

/// v128:SHAPE:LANES, the lanes of floats apart by commas, all others as bytes.
fn vector(pattern: &V128Pattern) -> String {
    fn bytes<T, const N: usize, const B: usize>(lanes: &[T; N], convert: impl Fn(&T) -> [u8; B]) -> String {
        let all: Vec<u8> = lanes.iter().flat_map(convert).collect();
        format!("v128:i8x16:{}", hexadecimal(&all))
    }
    match pattern {
        V128Pattern::I8x16(lanes) => bytes(lanes, |lane| lane.to_le_bytes()),
        V128Pattern::I16x8(lanes) => bytes(lanes, |lane| lane.to_le_bytes()),
        V128Pattern::I32x4(lanes) => bytes(lanes, |lane| lane.to_le_bytes()),
        V128Pattern::I64x2(lanes) => bytes(lanes, |lane| lane.to_le_bytes()),
        V128Pattern::F32x4(lanes) => {
            let lanes: Vec<_> = lanes.iter().map(|lane| nan(lane, |value| format!("{:x}", value.bits))).collect();
            format!("v128:f32x4:{}", lanes.join(","))
        }
        V128Pattern::F64x2(lanes) => {
            let lanes: Vec<_> = lanes.iter().map(|lane| nan(lane, |value| format!("{:x}", value.bits))).collect();
            format!("v128:f64x2:{}", lanes.join(","))
        }
    }
}
