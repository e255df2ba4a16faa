;; Grows a table and its memory on ever less stack.
(module
  (memory (export "memory") 1 40000)
  (table $table 1 funcref)
  (func $deeper (export "grow_ever_deeper") (param $pages i32)
    (drop (table.grow $table (ref.null func) (i32.const 0)))
    (drop (memory.grow (local.get $pages)))
    (call $deeper (local.get $pages)))
)
