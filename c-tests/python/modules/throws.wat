;; WebAssembly's own exceptions, with the host in between: whatever the host does meanwhile, an exception goes to the
;; handler of the call that throws it.
(module $throws
  (import "host" "call" (func $host.call (param i32)))
  (tag $e (param i32))

  ;; Throws its argument after the host was called, and returns what its own handler has caught.
  (func (export "throw_after_the_host") (param i32) (result i32)
    (try (result i32)
      (do (call $host.call (local.get 0)) (throw $e (local.get 0)))
      (catch $e)))

  ;; The same without a handler.
  (func (export "throw_uncaught") (param i32)
    (call $host.call (local.get 0))
    (throw $e (local.get 0))))
