;; More memory than a process can have at once: sixteen reservations of four gigabytes, or 64 GiB in one.
(module
  (memory (export "memory") 1 65536)
  (memory 1 65536) (memory 1 65536) (memory 1 65536) (memory 1 65536) (memory 1 65536) (memory 1 65536)
  (memory 1 65536) (memory 1 65536) (memory 1 65536) (memory 1 65536) (memory 1 65536) (memory 1 65536)
  (memory 1 65536) (memory 1 65536) (memory 1 65536))
