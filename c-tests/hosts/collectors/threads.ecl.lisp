;;; Embeddable Common Lisp, whose collector is libgc and which has handlers of its own for SIGSEGV.
;;;
;;;     ecl --norc --shell threads.ecl.lisp -- LIBRARY MODE ROUNDS      MODE: plain, init or traps
;;;
;;; Threads keep lists that only their stacks refer to, and look after each round whether they are whole.

(defvar *arguments* (rest (member "--" (loop for i below (si:argc) collect (si:argv i)) :test #'string=)))
(defvar *library* (first *arguments*))
(defvar *mode* (second *arguments*))
(defvar *rounds* (parse-integer (third *arguments*)))
(defconstant +traps-a-round+ 20)
(defconstant +workers+ 2)

(defun entry (name) (si:find-foreign-symbol name *library* :pointer-void 0))
(defun init () (si:call-cfun (entry "trapping_init") :int nil nil))
(defun start () (si:call-cfun (entry "trapping_start") :int nil nil))
(defvar *run* (entry "trapping_run"))
(defun run (count) (si:call-cfun *run* :long '(:long) (list count)))

(defvar *lock* (mp:make-lock))
(defvar *lost* 0)
(defvar *missed* 0)
(defvar *working* +workers+)

(defun work (traps)
  (dotimes (i *rounds*)
    (let ((list (loop repeat 100 collect (make-array 2 :initial-element i))))
      (when traps
        (let ((trapped (run +traps-a-round+)))
          (mp:with-lock (*lock*) (incf *missed* (- +traps-a-round+ trapped)))))
      (loop repeat 100 do (make-array 2 :initial-element nil))
      (unless (and (= (length list) 100) (every (lambda (each) (eql (aref each 1) i)) list))
        (mp:with-lock (*lock*) (incf *lost*)))))
  (mp:with-lock (*lock*) (decf *working*)))

(unless (string= *mode* "plain")
  (unless (and (zerop (init)) (zerop (start))) (ext:quit 2)))
(let* ((traps (string= *mode* "traps"))
       (threads (loop repeat +workers+ collect (mp:process-run-function "worker" #'work traps)))
       (collections 0))
  (loop while (plusp *working*)
        do (ext:gc t)
           (incf collections)
           (mp:process-yield))
  (mapc #'mp:process-join threads)
  (format t "~d collections, ~d lists lost, ~d traps missed~%" collections *lost* *missed*)
  (finish-output)
  (ext:quit (if (and (zerop *lost*) (zerop *missed*)) 0 1)))
