;; What engines are measured with: the traps of trap.roundtrip and trap.kinds, and a call. init_past_the_end is no fault
;; but what the engine's own code finds out.
(module
  (memory 1 1)
  (data $byte "x")
  (func (export "nothing"))
  (func (export "load_past_the_end") (drop (i32.load (i32.const 0xfffffff0))))
  (func (export "reach_the_unreachable") (unreachable))
  (func (export "init_past_the_end") (memory.init $byte (i32.const 0) (i32.const 0) (i32.const 2)))
  (func (export "divide_by_zero") (drop (i32.div_s (i32.const 1) (i32.load (i32.const 0)))))
  (func $recurse (export "recurse") (result i32) (i32.add (i32.const 1) (call $recurse)))
  (func (export "overflow") (drop (call $recurse))))
