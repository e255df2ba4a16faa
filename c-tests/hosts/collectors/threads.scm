;;; Guile, whose collector is libgc.
;;;
;;;     guile threads.scm LIBRARY MODE ROUNDS      MODE: plain, init or traps
;;;
;;; Threads keep lists that only their stacks refer to, and look after each round whether they are whole.

(use-modules (system foreign) (system foreign-library) (ice-9 threads) (ice-9 atomic) (ice-9 format))

(define arguments (cdr (command-line)))
(define library (load-foreign-library (list-ref arguments 0)))
(define mode (list-ref arguments 1))
(define rounds (string->number (list-ref arguments 2)))
(define traps-a-round 20)
(define workers 2)

(define (function name return arguments)
  (pointer->procedure return (foreign-library-pointer library name) arguments))
(define init (function "trapping_init" int '()))
(define start (function "trapping_start" int '()))
(define run (function "trapping_run" long (list long)))

(define lock (make-mutex))
(define lost 0)
(define missed 0)
(define working workers)

(define (work traps?)
  (do ((i 0 (+ i 1))) ((= i rounds))
    (let ((kept (map (lambda (n) (vector n i)) (iota 200))))
      (when traps?
        (let ((trapped (run traps-a-round)))
          (with-mutex lock (set! missed (+ missed (- traps-a-round trapped))))))
      (map (lambda (n) (vector n #f)) (iota 200))
      (unless (and (= (length kept) 200) (and-map (lambda (each) (eqv? (vector-ref each 1) i)) kept))
        (with-mutex lock (set! lost (+ lost 1))))))
  (with-mutex lock (set! working (- working 1))))

(unless (string=? mode "plain")
  (unless (and (zero? (init)) (zero? (start))) (primitive-_exit 2)))
(let* ((traps? (string=? mode "traps"))
       (threads (map (lambda (n) (call-with-new-thread (lambda () (work traps?)))) (iota workers)))
       (collections 0))
  (while (positive? working)
    (gc)
    (set! collections (+ collections 1))
    (yield))
  (for-each join-thread threads)
  (format #t "~d collections, ~d lists lost, ~d traps missed~%" collections lost missed)
  (force-output)
  (primitive-_exit (if (and (zero? lost) (zero? missed)) 0 1)))
