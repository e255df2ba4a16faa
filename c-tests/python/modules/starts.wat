;; A start function that calls the host: instantiation can run Python, raise, and trap.
(module $starts
  (import "host" "start" (func $host.start (result i32)))
  (memory 1)
  (func $start (drop (i32.load (call $host.start))))
  (start $start)
  (func (export "nothing")))
