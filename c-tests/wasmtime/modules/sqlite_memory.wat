;; The memory that SQLite imports: of the size that its JavaScript would give it.
(module (memory (export "memory") 256 32768))
