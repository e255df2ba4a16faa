  ;; The kinds that other engines do not have.
  (type $pair (struct (field i32)))
  (type $numbers (array (mut i32)))

  (memory $wide i64 1 1)
  (elem (table $kinds) (i32.const 11) func $wide $null $past_the_array $cast)

  (func $wide (param i32) (drop (i64.load $wide (i64.const 0x100000000000))))
  (func $null (param i32) (drop (struct.get $pair 0 (ref.null $pair))))
  (func $past_the_array (param i32)
    (drop (array.get $numbers (array.new_default $numbers (i32.const 3)) (i32.const 3))))
  (func $cast (param i32) (drop (ref.cast (ref $numbers) (struct.new $pair (local.get 0)))))
