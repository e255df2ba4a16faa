;; What wasm2c's own runtime, and Wasmtime, are measured with: the traps of trap.roundtrip and trap.kinds, and a call.
(module
  (memory 1 1)
  (func (export "nothing"))
  (func (export "load_past_the_end") (drop (i32.load (i32.const 0xfffffff0))))
  (func (export "reach_the_unreachable") (unreachable))
  (func (export "divide_by_zero") (drop (i32.div_s (i32.const 1) (i32.load (i32.const 0)))))
  (func $recurse (export "recurse") (result i32) (i32.add (i32.const 1) (call $recurse)))
  (func (export "overflow") (drop (call $recurse))))
