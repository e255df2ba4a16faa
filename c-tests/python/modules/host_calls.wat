;; What the tests of the Python extension run: values of every type through exports and imports, calls that leave
;; WebAssembly and come back, traps on either side of them, and loops long enough to be interrupted.
(module $host_calls
  (import "host" "call" (func $host.call (param i32) (result i32)))
  (import "host" "values" (func $host.values (param i32 i64 f32 f64) (result i32 i64 f32 f64)))
  (import "host" "nothing" (func $host.nothing))
  (import "other host" "half" (func $other_host.half (param f64) (result f64)))

  (memory (export "memory") 1 4)
  (global $calls (mut i32) (i32.const 0))
  (data (i32.const 16) "sixteen bytes...")

  ;; ---- Values ----

  (func (export "same_i32") (param i32) (result i32) (local.get 0))
  (func (export "same_i64") (param i64) (result i64) (local.get 0))
  (func (export "same_f32") (param f32) (result f32) (local.get 0))
  (func (export "same_f64") (param f64) (result f64) (local.get 0))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "swap") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
    (local.get 3) (local.get 2) (local.get 1) (local.get 0))
  (func (export "reference") (param externref) (result externref) (local.get 0))

  ;; ---- Floating point ----

  (func (export "divide") (param f64 f64) (result f64) (f64.div (local.get 0) (local.get 1)))
  (func (export "multiply") (param f64 f64) (result f64) (f64.mul (local.get 0) (local.get 1)))

  ;; ---- Out to the host, and back ----

  (func $call (export "call") (param i32) (result i32) (call $host.call (local.get 0)))
  (func (export "values") (param i32 i64 f32 f64) (result i32 i64 f32 f64)
    (call $host.values (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "nothing") (call $host.nothing))
  (func (export "half") (param f64) (result f64) (call $other_host.half (local.get 0)))

  ;; Counts before and after the host, so that one can see which side of the call was reached.
  (func (export "call_between") (param i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (drop (call $call (local.get 0)))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (global.get $calls))
  (func (export "calls") (result i32) (global.get $calls))

  (func (export "call_then_trap") (param i32)
    (drop (call $call (local.get 0)))
    (call $load (i32.const 65536)))

  ;; Calls the host for ever.
  (func (export "call_for_ever")
    (loop $again (call $host.nothing) (br $again)))

  (func $recurse_through_host (export "recurse_through_host") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call $host.call (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0))))

  ;; ---- Traps ----

  (func $load (param i32) (drop (i32.load (local.get 0))))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "stop") (unreachable))
  (func $recurse (param i32) (result i32) (i32.add (i32.const 1) (call $recurse (local.get 0))))
  (func (export "recurse_for_ever") (result i32) (call $recurse (i32.const 0)))
  ;; Recurses to the end of the stack, with a call of the host at each depth.
  (func $recurse_and_call (export "recurse_and_call") (param i32) (result i32)
    (drop (call $host.call (local.get 0)))
    (i32.add (i32.const 1) (call $recurse_and_call (i32.add (local.get 0) (i32.const 1)))))

  ;; ---- Work that takes its time ----

  (func (export "count") (param i64) (result i64) (local $i i64)
    (loop $again
      (i64.store (i32.const 0) (local.get $i))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $again (i64.lt_u (local.get $i) (local.get 0))))
    (i64.load (i32.const 0)))
  ;; The same, with a trap at the end.
  (func (export "count_then_trap") (param i64) (local $i i64)
    (loop $again
      (i64.store (i32.const 0) (local.get $i))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $again (i64.lt_u (local.get $i) (local.get 0))))
    (call $load (i32.const -1)))
)
