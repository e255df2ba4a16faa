;; What the tests call in WebAssembly, and what it calls of theirs.
(module $calls
  (import "host" "call" (func $host.call (param i32) (result i32)))
  (import "host" "values" (func $host.values (param i32 i64 f32 f64) (result f64 f32 i64 i32)))

  (memory (export "memory") 1 4)
  (data (i32.const 0) "initial contents")
  (global (export "counter") (mut i32) (i32.const 7))

  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "stop") (unreachable))
  (func $recurse (export "recurse") (result i32) (i32.add (i32.const 1) (call $recurse)))

  (func (export "call") (param i32) (result i32) (call $host.call (local.get 0)))
  (func (export "call_then_trap") (param i32) (result i32)
    (drop (call $host.call (local.get 0)))
    (i32.load (i32.const -1)))
  (func (export "values") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
    (call $host.values (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "same_vector") (param v128) (result v128) (local.get 0))
  (func (export "same_reference") (param externref) (result externref) (local.get 0))
  (func (export "float_sum") (param f64 f64) (result f64) (f64.add (local.get 0) (local.get 1)))

  ;; Counts in a loop and then divides by the second argument.
  (func (export "count_then_divide") (param $times i64) (param $divisor i32) (result i32)
    (loop $again
      (local.set $times (i64.sub (local.get $times) (i64.const 1)))
      (br_if $again (i64.gt_s (local.get $times) (i64.const 0))))
    (i32.div_s (i32.const 6) (local.get $divisor))))
