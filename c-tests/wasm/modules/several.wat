;; Two memories and functions for each of them.
(module
  (memory $first (export "first") 1)
  (memory $second (export "second") 2)
  (func (export "load_first") (param $address i32) (result i32) (i32.load8_u $first (local.get $address)))
  (func (export "load_second") (param $address i32) (result i32) (i32.load8_u $second (local.get $address)))
)
