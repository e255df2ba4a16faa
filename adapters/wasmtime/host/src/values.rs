//! Values between C and Wasmtime.

use wasmtime::{
    AnyRef, AsContextMut, ExternRef, HeapType, I31, RefType, Result, Rooted, StoreContextMut, V128, Val, ValType,
};

use crate::release::{HeapTopType, bail};
use crate::store::Data;

/// wasmtime_host_value_t.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Value {
    pub(crate) kind: u32,
    pub(crate) reference: u32,
    pub(crate) of: [u8; 16],
}

// The union has a uint64_t in it.
const _: () = assert!(size_of::<Value>() == 24 && std::mem::offset_of!(Value, of) == 8);

pub(crate) const I32: u32 = 1;
pub(crate) const I64: u32 = 2;
pub(crate) const F32: u32 = 3;
pub(crate) const F64: u32 = 4;
pub(crate) const V128_TYPE: u32 = 5;
pub(crate) const FUNCREF: u32 = 6;
pub(crate) const EXTERNREF: u32 = 7;
pub(crate) const ANYREF: u32 = 8;
pub(crate) const EXNREF: u32 = 9;

const REF_NULL: u32 = 0;
const REF_FUNCTION: u32 = 1;
const REF_HOST: u32 = 2;
const REF_I31: u32 = 3;
const REF_STRUCT: u32 = 4;
const REF_ARRAY: u32 = 5;
const REF_EXCEPTION: u32 = 6;

/// The number of a type of Wasm's; a reference's is that of the top of its hierarchy.
pub(crate) fn type_number(kind: &ValType) -> u32 {
    match kind {
        ValType::I32 => I32,
        ValType::I64 => I64,
        ValType::F32 => F32,
        ValType::F64 => F64,
        ValType::V128 => V128_TYPE,
        ValType::Ref(kind) => match kind.heap_type().top() {
            HeapTopType::Func => FUNCREF,
            HeapTopType::Extern => EXTERNREF,
            HeapTopType::Exn => EXNREF,
            _ => ANYREF,
        },
    }
}

pub(crate) fn type_numbers(kinds: impl Iterator<Item = ValType>) -> Vec<u32> {
    kinds.map(|kind| type_number(&kind)).collect()
}

/// The type of a number, for functions that C defines. References are nullable.
pub(crate) fn type_of_number(number: u32) -> Option<ValType> {
    Some(match number {
        I32 => ValType::I32,
        I64 => ValType::I64,
        F32 => ValType::F32,
        F64 => ValType::F64,
        V128_TYPE => ValType::V128,
        FUNCREF => ValType::FUNCREF,
        EXTERNREF => ValType::EXTERNREF,
        ANYREF => ValType::ANYREF,
        EXNREF => ValType::Ref(RefType::new(true, HeapType::Exn)),
        _ => return None,
    })
}

pub(crate) fn type_name(number: u32) -> &'static str {
    match number {
        I32 => "i32",
        I64 => "i64",
        F32 => "f32",
        F64 => "f64",
        V128_TYPE => "v128",
        FUNCREF => "funcref",
        EXTERNREF => "externref",
        ANYREF => "anyref",
        EXNREF => "exnref",
        _ => "no type",
    }
}

impl Value {
    /// Zero, or null.
    pub(crate) fn zero(kind: u32) -> Self {
        Self { kind, reference: REF_NULL, of: [0; 16] }
    }

    fn from_bytes<const N: usize>(kind: u32, bytes: [u8; N]) -> Self {
        let mut value = Self::zero(kind);
        value.of[..N].copy_from_slice(&bytes);
        value
    }

    fn reference(kind: u32, reference: u32, number: u64) -> Self {
        let mut value = Self::from_bytes(kind, number.to_ne_bytes());
        value.reference = reference;
        value
    }

    fn low<const N: usize>(&self) -> [u8; N] {
        *self.of.first_chunk().expect("a value has 16 bytes")
    }

    fn number(&self) -> u64 {
        u64::from_ne_bytes(self.low())
    }

    /// Wasmtime's value for this one, which is to be of type `kind`.
    pub(crate) fn to_wasmtime(self, mut store: StoreContextMut<'_, Data>, kind: &ValType) -> Result<Val> {
        let wanted = type_number(kind);
        if self.kind != wanted {
            bail!("{}, not {}", type_name(self.kind), type_name(wanted));
        }
        Ok(match (kind, self.reference) {
            (ValType::I32, _) => Val::I32(i32::from_ne_bytes(self.low())),
            (ValType::I64, _) => Val::I64(i64::from_ne_bytes(self.low())),
            (ValType::F32, _) => Val::F32(u32::from_ne_bytes(self.low())),
            (ValType::F64, _) => Val::F64(u64::from_ne_bytes(self.low())),
            (ValType::V128, _) => Val::V128(V128::from(u128::from_le_bytes(self.of))),
            (ValType::Ref(kind), REF_NULL) if kind.is_nullable() => Val::null_ref(kind.heap_type()),
            (ValType::Ref(_), REF_NULL) => bail!("null, where the type has none"),
            (ValType::Ref(_), REF_HOST) if wanted == EXTERNREF => {
                Val::ExternRef(Some(ExternRef::new(&mut store, self.number())?))
            }
            (ValType::Ref(_), REF_HOST) if wanted == ANYREF => {
                let host = ExternRef::new(&mut store, self.number())?;
                Val::AnyRef(Some(AnyRef::convert_extern(&mut store, host)?))
            }
            (ValType::Ref(_), REF_I31) if wanted == ANYREF => {
                let Some(i31) = I31::new_i32(self.number() as i32) else {
                    bail!("{}, which does not fit an i31", self.number() as i64)
                };
                Val::AnyRef(Some(AnyRef::from_i31(&mut store, i31)))
            }
            (ValType::Ref(_), other) => bail!("a reference of kind {other}, which cannot be passed in"),
        })
    }

    /// C's value for Wasmtime's.
    pub(crate) fn from_wasmtime(mut store: StoreContextMut<'_, Data>, value: &Val) -> Result<Self> {
        Ok(match value {
            Val::I32(value) => Self::from_bytes(I32, value.to_ne_bytes()),
            Val::I64(value) => Self::from_bytes(I64, value.to_ne_bytes()),
            Val::F32(bits) => Self::from_bytes(F32, bits.to_ne_bytes()),
            Val::F64(bits) => Self::from_bytes(F64, bits.to_ne_bytes()),
            Val::V128(value) => Self::from_bytes(V128_TYPE, value.as_u128().to_le_bytes()),
            Val::FuncRef(None) => Self::zero(FUNCREF),
            Val::FuncRef(Some(_)) => Self::reference(FUNCREF, REF_FUNCTION, 0),
            Val::ExternRef(None) => Self::zero(EXTERNREF),
            Val::ExternRef(Some(host)) => host_reference(store, EXTERNREF, *host)?,
            Val::AnyRef(None) => Self::zero(ANYREF),
            Val::AnyRef(Some(any)) => {
                let i31 = any.as_i31(&store)?.map(|i31| i31.get_i32());
                match i31 {
                    Some(i31) => Self::reference(ANYREF, REF_I31, i64::from(i31) as u64),
                    None if any.is_struct(&store)? => Self::reference(ANYREF, REF_STRUCT, 0),
                    None if any.is_array(&store)? => Self::reference(ANYREF, REF_ARRAY, 0),
                    None => {
                        let host = ExternRef::convert_any(&mut store, *any)?;
                        host_reference(store, ANYREF, host)?
                    }
                }
            }
            Val::ExnRef(None) => Self::zero(EXNREF),
            Val::ExnRef(Some(_)) => Self::reference(EXNREF, REF_EXCEPTION, 0),
            #[cfg(not(feature = "wasmtime-36"))]
            Val::ContRef(_) => bail!("a continuation, which this host does not know"),
        })
    }
}

/// A host reference with the host's number, as far as it is one: what Wasm made and converted is told by its class.
fn host_reference(mut store: StoreContextMut<'_, Data>, kind: u32, host: Rooted<ExternRef>) -> Result<Value> {
    let number = host.data(&store)?.and_then(|data| data.downcast_ref::<u64>()).copied();
    if let Some(number) = number {
        return Ok(Value::reference(kind, REF_HOST, number));
    }
    let any = AnyRef::convert_extern(&mut store, host)?;
    let mut inner = Value::from_wasmtime(store.as_context_mut(), &Val::AnyRef(Some(any)))?;
    inner.kind = kind;
    Ok(inner)
}
