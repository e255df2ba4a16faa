;; Wants a memory of another size than sqlite_memory has.
(module (import "env" "memory" (memory 1 2)))
