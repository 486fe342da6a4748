;;; emacs.el --- Emacs with Eglot: findings, uses, renaming -*- lexical-binding: t -*-

(package-initialize)
(require 'eglot)
(require 'flymake)

(define-derived-mode tile-mode prog-mode "Tile")
(add-to-list 'auto-mode-alist '("\\.tile\\'" . tile-mode))
(add-to-list 'eglot-server-programs (list 'tile-mode (getenv "TILE_LSP")))
(setq eglot-sync-connect 30 eglot-autoshutdown t eglot-confirm-server-initiated-edits nil)

(defun tile-wait (what is-there)
  "Wait until IS-THERE gives something, which WHAT describes."
  (let ((deadline (+ (float-time) 30)))
    (while (not (funcall is-there))
      (when (< deadline (float-time)) (error "Waited in vain for %s" what))
      (accept-process-output nil 0.05))))

(defun tile-expect (what got want)
  "Check that GOT is WANT; WHAT says of what."
  (unless (equal got want) (error "%s: got %S, wanted %S" what got want)))

(let* ((folder (make-temp-file "tile" t))
       (path (expand-file-name "main.tile" folder))
       (coding-system-for-write 'utf-8))
  (with-temp-file path
    (insert "fn scale(x: f32, by: f32) -> f32 { x * by }\n"
            "test \"é中🙂\" { let a = scale(1.0, by: 2.0); nowhere(a); }\n"))
  (find-file path)
  (cl-letf (((symbol-function 'project-current) (lambda (&rest _) (cons 'transient folder))))
    (apply #'eglot (eglot--guess-contact)))
  (flymake-mode 1)
  (flymake-start)
  (tile-wait "the finding" #'flymake-diagnostics)
  (let ((found (car (flymake-diagnostics))))
    (tile-expect "what is underlined"
                 (buffer-substring (flymake-diagnostic-beg found) (flymake-diagnostic-end found))
                 "nowhere"))
  (goto-char (point-min))
  (search-forward "(a)")
  (backward-char 2)
  (eglot-rename "scaled")
  (goto-char (point-max))
  (forward-line -1)
  (tile-expect "the renamed line"
               (buffer-substring (point) (line-end-position))
               "test \"é中🙂\" { let scaled = scale(1.0, by: 2.0); nowhere(scaled); }")
  (search-forward "nowhere")
  (replace-match "print")
  ;; Eglot waits for the user to be idle before it sends a change; nobody ever is here.
  (eglot--signal-textDocument/didChange)
  (flymake-start)
  (tile-wait "no finding" (lambda () (null (flymake-diagnostics))))
  (set-buffer-modified-p nil)
  (eglot-shutdown (eglot-current-server) nil 10)
  (message "emacs: ok"))
