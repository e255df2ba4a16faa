;; Throws, catches, and traps where a handler is set up.
(module
  (import "host" "enter" (func $enter))
  (memory 1)
  (tag $number (param i32))
  (tag $pair (param i32 i32))

  (func $throw (export "throw") (param $value i32) (throw $number (local.get $value)))

  ;; The value that was thrown, by way of another function.
  (func (export "catch") (param $value i32) (result i32)
    (try (result i32)
      (do (call $throw (local.get $value)) (i32.const -1))
      (catch $number)))
  (func (export "catch_a_pair") (param $value i32) (result i32)
    (try (result i32 i32)
      (do (throw $pair (local.get $value) (i32.const 7)))
      (catch $pair))
    (i32.sub))

  (func (export "trap_inside_try") (param $address i32)
    (try
      (do (drop (i32.load (local.get $address))))
      (catch $number drop)))

  ;; The host is called where a handler is set up; 1 if the handler got something.
  (func (export "call_out_inside_try") (result i32)
    (try (result i32)
      (do (call $enter) (i32.const 0))
      (catch $number drop (i32.const 1))))
)
