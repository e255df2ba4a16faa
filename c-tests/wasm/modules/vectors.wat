;; Vectors of a memory, at the reach of addresses and offsets.
(module
  (memory (export "memory") 1)
  (global $progress (export "progress") (mut i32) (i32.const 0))
  (func (export "load") (param $address i32) (result i32)
    (i32x4.extract_lane 3 (v128.load (local.get $address))))
  (func (export "load_far") (param $address i32) (result i32)
    (i32x4.extract_lane 3 (v128.load offset=0xffffffff (local.get $address))))
  (func (export "step_store_step") (param $address i32)
    (global.set $progress (i32.const 1))
    (v128.store (local.get $address) (v128.const i32x4 1 2 3 4))
    (global.set $progress (i32.const 2)))
)
