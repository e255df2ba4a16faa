;; A memory with 64-bit addresses.
(module
  (memory (export "memory") i64 1 3)
  (func (export "load") (param $address i64) (result i64) (i64.load (local.get $address)))
  (func (export "store") (param $address i64) (i64.store (local.get $address) (i64.const 1)))
  (func (export "grow") (param $pages i64) (result i64) (memory.grow (local.get $pages)))
)
