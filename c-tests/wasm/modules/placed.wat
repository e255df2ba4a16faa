;; Its data goes where the host says, after its table and memory are there: instantiation can trap half-way.
(module
  (import "host" "place" (global $place i32))
  (memory (export "memory") 1)
  (table 3 funcref)
  (elem (i32.const 0) $nothing)
  (func $nothing)
  (data (global.get $place) "placed")
)
