;; A memory that threads share, and what they do there at once.
(module
  (memory (export "memory") 1 2 shared)
  (func (export "add") (param $address i32) (result i32)
    (i32.atomic.rmw.add (local.get $address) (i32.const 1)))
  (func (export "load") (param $address i32) (result i32) (i32.load (local.get $address)))
  (func (export "grow") (param $pages i32) (result i32) (memory.grow (local.get $pages)))
)
