;;; tile-mode.el --- Major mode for Tile, a language for GPU kernels  -*- lexical-binding: t; -*-

;; Package-Requires: ((emacs "28.1"))
;; Written by `cargo run -p tile-lsp --example grammars'; changes belong there.

;;; Commentary:

;; Colours, comments and indentation.  With Eglot, `M-x eglot' starts the language server.

;;; Code:

(defconst tile--keywords
  '("use" "struct" "enum" "impl" "fn" "kernel" "iter" "permit" "build" "tune" "test" "bench" "init" "if" "else" "for" "in" "while" "return" "yield" "as" "break" "continue" "step" "const" "let" "var" "where" "expect" "pdl" "resident" "grid" "cluster" "warps" "regs" "requires" "allow" "on" "roles" "elect" "trust" "pub" "mut" "static" "own" "strides" "align" "zeroed"))

(defconst tile--clauses
  '("where" "expect" "pdl" "resident" "grid" "cluster" "warps" "regs" "requires" "allow" "on"))

(defconst tile--memories
  '("global" "shared" "tmem" "tiles" "list" "peers" "workspace"))

(defconst tile--types
  '("bool" "i8" "i16" "i32" "i64" "u8" "u16" "u32" "u64" "f16" "bf16" "tf32" "f32" "f64" "f8e4m3" "f8e5m2" "f8e4m3fnuz" "f8e5m2fnuz" "f6e2m3" "f6e3m2" "f4e2m1" "f8e8m0" "int" "type" "layout" "str" "record" "barrier"))

(defconst tile--constants
  '("true" "false" "none" "inf"))

(defgroup tile nil
  "Tile, a language for GPU kernels."
  :group 'languages)

(defcustom tile-indent 4
  "Columns of one step of indentation."
  :type 'integer
  :safe #'integerp)

(defun tile--words (words)
  "A pattern for WORDS that are no label, field or part of a path."
  (concat "\\(?:^\\|[^.:[:word:]]\\|[^:]:\\)\\(" (regexp-opt words 'symbols)
          "\\)\\(?:\\s-*\\(?:$\\|[^:[:space:]]\\|::\\)\\)"))

(defconst tile--font-lock
  `((,(tile--words tile--keywords) 1 font-lock-keyword-face)
    (,(tile--words tile--memories) 1 font-lock-builtin-face)
    (,(regexp-opt tile--types 'symbols) . font-lock-type-face)
    (,(regexp-opt tile--constants 'symbols) . font-lock-constant-face)
    ("\\_<\\(?:kernel\\|fn\\|iter\\|build\\|tune\\)\\s-+\\(\\(?:\\sw\\|\\s_\\)+\\)"
     1 font-lock-function-name-face)
    ("\\_<\\(?:struct\\|enum\\|permit\\|impl\\)\\s-+\\(\\(?:\\sw\\|\\s_\\)+\\)"
     1 font-lock-type-face)
    ("\\_<\\(?:let\\|var\\|const\\)\\s-+\\(\\(?:\\sw\\|\\s_\\)+\\)"
     1 font-lock-variable-name-face)))

(defvar tile-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?/ ". 12" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?_ "_" table)
    (modify-syntax-entry ?\" "\"" table)
    (modify-syntax-entry ?\\ "\\" table)
    (dolist (it '(?+ ?- ?* ?% ?& ?| ?^ ?! ?< ?> ?= ?@ ?? ?:))
      (modify-syntax-entry it "." table))
    table))

(defconst tile--clause (regexp-opt tile--clauses 'symbols)
  "What stands between the head of an item and its body.")

(defun tile-indent-line ()
  "Indents the line by the brackets that are open before it."
  (interactive)
  (let* ((depth (save-excursion
                  (back-to-indentation)
                  (let ((open (car (syntax-ppss))))
                    (cond ((looking-at-p "[])}]") (1- open))
                          ((and (= open 0) (looking-at-p tile--clause)) 1)
                          (t open)))))
         (column (* tile-indent (max 0 depth))))
    (if (<= (current-column) (current-indentation))
        (indent-line-to column)
      (save-excursion (indent-line-to column)))))

;;;###autoload
(define-derived-mode tile-mode prog-mode "Tile"
  "Major mode for kernels in Tile."
  (setq-local comment-start "// ")
  (setq-local comment-start-skip "//[/!]*\\s-*")
  (setq-local indent-tabs-mode nil)
  (setq-local indent-line-function #'tile-indent-line)
  (setq-local electric-indent-chars '(?\n ?} ?\) ?\]))
  (setq-local font-lock-defaults '(tile--font-lock)))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.tile\\'" . tile-mode))

(defvar eglot-server-programs)
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '(tile-mode . ("tile-lsp"))))

(provide 'tile-mode)
;;; tile-mode.el ends here
