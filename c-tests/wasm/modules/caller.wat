;; Calls its host, and can be called by it in the meantime.
(module
  (import "host" "enter" (func $enter (param i32)))
  (memory (export "memory") 1)

  ;; Calls the host, and returns how often it came back.
  (func (export "call_out") (param $what i32) (result i32)
    (call $enter (local.get $what))
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (i32.load (i32.const 0)))

  (func (export "load") (param $address i32) (result i32) (i32.load (local.get $address)))

  ;; Calls the host on ever less stack.
  (func $deeper (export "call_out_ever_deeper") (param $what i32)
    (call $enter (local.get $what))
    (call $deeper (local.get $what)))
)
