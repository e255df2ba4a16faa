//! A space: a task's table of names for rights (osfmk/ipc/ipc_entry.c, ipc_space.c).
//!
//! A name is an index and a generation, which changes each time the index is used again, so that an old name is not
//! silently a new right. Its two lowest bits are always set.

use std::collections::HashMap;
use std::rc::Rc;

use super::port::PortRef;
use super::port_set::PortSet;
use crate::constants::{KERN_FAILURE, KERN_INVALID_VALUE, KERN_NO_SPACE, KernReturn, Name};

/// What the name stands for; a dead name for nothing.
#[derive(Clone)]
pub(crate) enum Object {
    Port(PortRef),
    Set(Rc<PortSet>),
    Nothing,
}

/// struct ipc_entry: the type bits say which rights, `user_references` how many send rights or dead names.
pub(crate) struct Entry {
    pub(crate) object: Object,
    pub(crate) types: u32,
    pub(crate) user_references: u32,
}

impl Entry {
    pub(crate) fn port(&self) -> Option<PortRef> {
        match &self.object {
            Object::Port(port) => Some(Rc::clone(port)),
            _ => None,
        }
    }

    pub(crate) fn set(&self) -> Option<Rc<PortSet>> {
        match &self.object {
            Object::Set(set) => Some(Rc::clone(set)),
            _ => None,
        }
    }

    pub(crate) fn has(&self, types: u32) -> bool {
        self.types & types != 0
    }
}

struct Slot {
    generation: u8,
    entry: Option<Entry>,
}

/// IE_BITS_GEN_MASK: what a fresh slot starts from, before its first use adds GENERATION_STEP.
const FIRST_GENERATION: u8 = 0xff;
/// IE_BITS_GEN_ONE
const GENERATION_STEP: u8 = 4;
/// IPC_ENTRY_NAME_MASK
const NAME_BITS: Name = 3;
/// ipc_entry_table_count_max is more than a million; a test that reaches this has run away.
const TABLE_MAX: usize = 1 << 20;

#[derive(Default)]
pub(crate) struct Space {
    slots: Vec<Slot>,
    /// The index that was freed last is used first, as ie_next chains them.
    free: Vec<usize>,
    /// ipc_hash: where the naked send right to a port is, so that all of them share a name.
    send_names: HashMap<u64, Name>,
}

fn index_of(name: Name) -> usize {
    (name >> 8) as usize
}

impl Space {
    /// A space whose first names are `reserved`, or rather index 1 and so on: index 0 is never used.
    pub(crate) fn new() -> Space {
        let mut space = Space::default();
        space.slots.push(Slot { generation: FIRST_GENERATION, entry: None });
        space
    }

    /// ipc_entry_alloc
    pub(crate) fn allocate(&mut self, entry: Entry) -> Result<Name, KernReturn> {
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.slots.len() < TABLE_MAX => {
                self.slots.push(Slot { generation: FIRST_GENERATION, entry: None });
                self.slots.len() - 1
            }
            None => return Err(KERN_NO_SPACE),
        };
        let slot = &mut self.slots[index];
        slot.generation = slot.generation.wrapping_add(GENERATION_STEP);
        slot.entry = Some(entry);
        Ok((index as Name) << 8 | Name::from(slot.generation))
    }

    /// ipc_entry_alloc_name: the name must be free.
    pub(crate) fn allocate_name(&mut self, name: Name, entry: Entry) -> Result<(), KernReturn> {
        let index = index_of(name);
        if index >= TABLE_MAX {
            return Err(KERN_NO_SPACE);
        }
        if name & NAME_BITS != NAME_BITS {
            return Err(KERN_INVALID_VALUE);
        }
        if index == 0 {
            return Err(KERN_FAILURE);
        }
        while self.slots.len() <= index {
            self.free.insert(0, self.slots.len());
            self.slots.push(Slot { generation: FIRST_GENERATION, entry: None });
        }
        let slot = &mut self.slots[index];
        if slot.entry.is_some() {
            return Err(KERN_FAILURE);
        }
        slot.generation = name as u8;
        slot.entry = Some(entry);
        self.free.retain(|free| *free != index);
        Ok(())
    }

    pub(crate) fn free(&mut self, name: Name) -> Option<Entry> {
        let index = index_of(name);
        let entry = self.slots.get_mut(index)?.entry.take()?;
        self.free.push(index);
        Some(entry)
    }

    pub(crate) fn get(&self, name: Name) -> Option<&Entry> {
        let slot = self.slots.get(index_of(name))?;
        if Name::from(slot.generation) == name & 0xff { slot.entry.as_ref() } else { None }
    }

    pub(crate) fn get_mut(&mut self, name: Name) -> Option<&mut Entry> {
        let slot = self.slots.get_mut(index_of(name))?;
        if Name::from(slot.generation) == name & 0xff { slot.entry.as_mut() } else { None }
    }

    /// Every entry with its name, in the order of the table.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Name, &Entry)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            slot.entry.as_ref().map(|entry| ((index as Name) << 8 | Name::from(slot.generation), entry))
        })
    }

    pub(crate) fn send_name(&self, port: &PortRef) -> Option<Name> {
        self.send_names.get(&port.id).copied()
    }

    pub(crate) fn remember_send_name(&mut self, port: &PortRef, name: Name) {
        self.send_names.insert(port.id, name);
    }

    pub(crate) fn forget_send_name(&mut self, port: &PortRef) {
        self.send_names.remove(&port.id);
    }
}
