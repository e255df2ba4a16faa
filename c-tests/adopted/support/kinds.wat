  ;; What every engine's module has, between "(module" and ")": a function for each kind of trap, by number in $kinds;
  ;; their argument is 0. `run` calls one after some pauses.
  (type $kind (func (param i32)))
  (type $number (func (result i32)))

  (import "host" "pause" (func $pause))
  (import "host" "act" (func $act (param i32)))

  (memory $memory (export "memory") 1 1)
  (table $functions 4 funcref)
  (elem (table $functions) (i32.const 0) func $unreachable)
  (table $kinds 16 funcref)
  (elem (table $kinds) (i32.const 0) func
    $load $store $fill $unreachable $divide $overflow $convert $past_the_table $empty $wrong_type $recurse)

  (func $load (param i32) (drop (i32.load (i32.add (local.get 0) (i32.const 65536)))))
  (func $store (param i32) (i32.store (i32.sub (local.get 0) (i32.const 4)) (i32.const 7)))
  (func $fill (param i32) (memory.fill (local.get 0) (i32.const 7) (i32.const 65537)))
  (func $unreachable (param i32) unreachable)
  (func $divide (param i32) (drop (i32.div_s (i32.const 1) (local.get 0))))
  (func $overflow (param i32)
    (drop (i32.div_s (i32.const 0x80000000) (i32.sub (local.get 0) (i32.const 1)))))
  (func $convert (param i32)
    (drop (i32.trunc_f32_s (f32.div (f32.convert_i32_s (local.get 0)) (f32.convert_i32_s (local.get 0))))))
  (func $past_the_table (param i32)
    (call_indirect $functions (type $kind) (i32.const 0) (i32.const 4)))
  (func $empty (param i32) (call_indirect $functions (type $kind) (i32.const 0) (i32.const 1)))
  (func $wrong_type (param i32) (drop (call_indirect $functions (type $number) (i32.const 0))))
  (func $recurse (param i32) (call $recurse (i32.add (local.get 0) (i32.const 1))) (call $pause))

  ;; The sum of the numbers below $pauses, to see that nothing is lost meanwhile.
  (func $sum (export "sum") (param $pauses i32) (result i32)
    (local $sum i32)
    (loop $again
      (call $pause)
      (local.set $sum (i32.add (local.get $sum) (local.get $pauses)))
      (br_if $again (local.tee $pauses (i32.sub (local.get $pauses) (i32.const 1)))))
    (local.get $sum))

  (func (export "run") (param $kind i32) (param $pauses i32)
    (i32.store (i32.const 16) (call $sum (local.get $pauses)))
    (call_indirect $kinds (type $kind) (i32.const 0) (local.get $kind)))

  ;; Has the host do something.
  (func (export "act") (param i32) (call $act (local.get 0)))
