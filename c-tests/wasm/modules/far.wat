;; A memory with 64-bit addresses, and an offset that takes most of them past the last.
(module
  (memory (export "memory") i64 1)
  (func (export "load") (param $address i64) (result i64) (i64.load offset=0xfffffffffffffff0 (local.get $address)))
)
