;; A memory, ways to touch it, and a record of how far a function came before it trapped.
(module
  (memory (export "memory") 1 5)
  (global $progress (export "progress") (mut i32) (i32.const 0))

  (func (export "load") (param $address i32) (result i32) (i32.load8_u (local.get $address)))
  (func (export "store") (param $address i32) (i32.store8 (local.get $address) (i32.const 1)))
  (func (export "grow") (param $pages i32) (result i32) (memory.grow (local.get $pages)))

  ;; Touches `address` between two steps, by each kind of access in turn.
  (func (export "step_store_step") (param $address i32)
    (global.set $progress (i32.const 1))
    (i32.store8 (local.get $address) (i32.const 1))
    (global.set $progress (i32.const 2)))
  (func (export "step_load_step") (param $address i32)
    (global.set $progress (i32.const 1))
    (drop (i64.load8_s (local.get $address)))
    (global.set $progress (i32.const 2)))
  (func (export "store_store") (param $address i32)
    (i32.store8 (i32.const 0) (i32.const 1))
    (i32.store8 (local.get $address) (i32.const 1))
    (i32.store8 (i32.const 0) (i32.const 2)))
)
