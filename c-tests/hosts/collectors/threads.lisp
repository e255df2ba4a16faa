;;; Steel Bank Common Lisp, whose collector stops threads by a signal and has page faults of its own.
;;;
;;;     sbcl --script threads.lisp LIBRARY MODE ROUNDS      MODE: plain, init or traps
;;;
;;; Threads keep lists that only their stacks refer to, and look after each round whether they are whole.

(defvar *library* (second sb-ext:*posix-argv*))
(defvar *mode* (third sb-ext:*posix-argv*))
(defvar *rounds* (parse-integer (fourth sb-ext:*posix-argv*)))
(defconstant +traps-a-round+ 20)
(defconstant +workers+ 2)

(sb-alien:load-shared-object *library*)
(defun init () (sb-alien:alien-funcall (sb-alien:extern-alien "trapping_init" (function sb-alien:int))))
(defun start () (sb-alien:alien-funcall (sb-alien:extern-alien "trapping_start" (function sb-alien:int))))
(defun run (count)
  (sb-alien:alien-funcall (sb-alien:extern-alien "trapping_run" (function sb-alien:long sb-alien:long)) count))

(defvar *names* (loop for i below 300 collect (intern (format nil "*NAME-~d*" i))))

(defvar *lost* (list 0))
(defvar *missed* (list 0))

(defun work (traps)
  (dotimes (i *rounds*)
    (let ((list (loop repeat 1000 collect (make-array 4 :initial-element i))))
      (when traps
        (sb-ext:atomic-incf (car *missed*) (- +traps-a-round+ (run +traps-a-round+))))
      ;; Symbols are in memory that the collector protects, and learns by a fault that it is written to.
      (loop for name in *names* do (setf (symbol-value name) list))
      (loop repeat 1000 do (make-array 4 :initial-element nil))
      (unless (and (= (length list) 1000) (every (lambda (each) (eql (aref each 3) i)) list))
        (sb-ext:atomic-incf (car *lost*))))))

(unless (string= *mode* "plain")
  (unless (and (zerop (init)) (zerop (start))) (sb-ext:exit :code 2)))
(let* ((traps (string= *mode* "traps"))
       (threads (loop repeat +workers+ collect (sb-thread:make-thread #'work :arguments (list traps))))
       (collections 0))
  (loop while (some #'sb-thread:thread-alive-p threads)
        do (sb-ext:gc :full (zerop (mod collections 10)))
           (incf collections)
           (sb-thread:thread-yield))
  (mapc #'sb-thread:join-thread threads)
  (format t "~d collections, ~d lists lost, ~d traps missed~%" collections (car *lost*) (car *missed*))
  (finish-output)
  (sb-ext:exit :code (if (and (zerop (car *lost*)) (zerop (car *missed*))) 0 1) :abort t))
