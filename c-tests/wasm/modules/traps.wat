;; One exported function for every way in which WebAssembly can trap. Each does the fatal instruction in a function that
;; is named after it, so that a backtrace has two frames to show. What they are to trap with is in
;; demo/expected_traps.txt.
(module
  (import "host" "refuse" (func $host.refuse))

  (memory (export "memory") 1 2)
  (data $bytes "sixteen bytes...")

  (type $number_to_number (func (param i32) (result i32)))
  (table $functions 4 8 funcref)
  (elem (i32.const 0) $negate $nothing)
  (elem $spare func $negate)
  (table $references 3 externref)

  (tag $problem (param i32))

  (func $negate (param i32) (result i32) (i32.sub (i32.const 0) (local.get 0)))
  (func $nothing)

  ;; ---- The instructions ----

  (func $unreachable (unreachable))

  (func $i32.load (param i32) (drop (i32.load (local.get 0))))
  (func $i64.load (param i32) (drop (i64.load (local.get 0))))
  (func $f64.load (param i32) (drop (f64.load offset=0xfffffff8 (local.get 0))))
  (func $i32.load8_u (param i32) (drop (i32.load8_u (local.get 0))))
  (func $i32.store (param i32) (i32.store (local.get 0) (i32.const 7)))
  (func $i64.store16 (param i32) (i64.store16 offset=0xffffffff (local.get 0) (i64.const 7)))
  (func $f32.store (param i32) (f32.store offset=65536 (local.get 0) (f32.const 7)))

  (func $memory.fill (param i32 i32) (memory.fill (local.get 0) (i32.const 0) (local.get 1)))
  (func $memory.copy (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func $memory.init (param i32 i32 i32) (memory.init $bytes (local.get 0) (local.get 1) (local.get 2)))

  (func $call_indirect (param i32)
    (drop (call_indirect $functions (type $number_to_number) (i32.const 5) (local.get 0))))
  (func $table.get (param i32) (drop (table.get $references (local.get 0))))
  (func $table.set (param i32) (table.set $references (local.get 0) (ref.null extern)))
  (func $table.fill (param i32 i32) (table.fill $references (local.get 0) (ref.null extern) (local.get 1)))
  (func $table.copy (param i32 i32) (table.copy $functions $functions (i32.const 0) (local.get 0) (local.get 1)))
  (func $table.init (param i32 i32) (table.init $functions $spare (local.get 0) (i32.const 0) (local.get 1)))

  (func $i32.div_s (param i32 i32) (drop (i32.div_s (local.get 0) (local.get 1))))
  (func $i64.rem_u (param i64 i64) (drop (i64.rem_u (local.get 0) (local.get 1))))
  (func $i64.div_s (param i64 i64) (drop (i64.div_s (local.get 0) (local.get 1))))
  (func $i32.trunc_f32_s (param f32) (drop (i32.trunc_f32_s (local.get 0))))
  (func $i64.trunc_f64_u (param f64) (drop (i64.trunc_f64_u (local.get 0))))

  (func $throw (param i32) (throw $problem (local.get 0)))
  (func $call (call $host.refuse))
  (func $recurse (param i32) (result i32) (i32.add (i32.const 1) (call $recurse (local.get 0))))

  ;; ---- The ways to trap ----

  (func (export "reach_the_unreachable") (call $unreachable))

  (func (export "load_past_the_end") (call $i32.load (i32.const 65536)))
  (func (export "load_across_the_end") (call $i64.load (i32.const 65532)))
  (func (export "load_with_a_high_offset") (call $f64.load (i32.const -16)))
  (func (export "load_from_minus_one") (call $i32.load8_u (i32.const -1)))
  (func (export "store_past_the_end") (call $i32.store (i32.const 0x12345678)))
  (func (export "store_at_the_very_end") (call $i64.store16 (i32.const -1)))
  (func (export "store_past_by_offset") (call $f32.store (i32.const 4)))
  (func (export "fill_past_the_end") (call $memory.fill (i32.const 65530) (i32.const 7)))
  (func (export "copy_past_the_end") (call $memory.copy (i32.const 0) (i32.const 65530) (i32.const 7)))
  (func (export "init_past_the_data") (call $memory.init (i32.const 0) (i32.const 10) (i32.const 7)))

  (func (export "call_past_the_table") (call $call_indirect (i32.const 4)))
  (func (export "call_an_empty_element") (call $call_indirect (i32.const 3)))
  (func (export "call_with_a_wrong_type") (call $call_indirect (i32.const 1)))
  (func (export "get_past_the_table") (call $table.get (i32.const 3)))
  (func (export "set_past_the_table") (call $table.set (i32.const -1)))
  (func (export "fill_past_the_table") (call $table.fill (i32.const 2) (i32.const 2)))
  (func (export "copy_past_the_table") (call $table.copy (i32.const 3) (i32.const 2)))
  (func (export "init_past_the_elements") (call $table.init (i32.const 0) (i32.const 2)))

  (func (export "divide_by_zero") (call $i32.div_s (i32.const 1) (i32.const 0)))
  (func (export "remainder_by_zero") (call $i64.rem_u (i64.const 1) (i64.const 0)))
  (func (export "divide_min_by_minus_one") (call $i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))
  (func (export "convert_too_large") (call $i64.trunc_f64_u (f64.const 1e20)))
  (func (export "convert_nan") (call $i32.trunc_f32_s (f32.const nan)))

  (func (export "throw_without_a_catch") (call $throw (i32.const 1)))
  (func (export "recurse_for_ever") (drop (call $recurse (i32.const 0))))
  (func (export "ask_for_a_refusal") (call $call))

  ;; Works; what the host calls after each trap.
  (func (export "go_on") (result i32)
    (i32.store (i32.const 65532) (i32.add (i32.load (i32.const 65532)) (i32.const 1)))
    (i32.load (i32.const 65532)))
)
