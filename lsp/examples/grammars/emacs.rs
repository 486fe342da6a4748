//! A major mode for Emacs: colours, comments, indentation by brackets, and the server for Eglot.

use crate::words::{self, Group, KINDS, VALUES};

/// The file's text.
pub(crate) fn mode() -> String {
    let list = |name: &str, words: Vec<&str>| {
        let quoted: Vec<String> = words.iter().map(|it| format!("\"{it}\"")).collect();
        format!("(defconst tile--{name}\n  '({}))\n\n", quoted.join(" "))
    };
    let keywords =
        Group::ALL.into_iter().filter(|it| *it != Group::Constant && *it != Group::Memory);
    let all = |group: Group| words::of(group).into_iter().flat_map(|it| it.1).collect::<Vec<_>>();
    let types = words::elements().into_iter().chain(KINDS).collect();
    let constants = all(Group::Constant).into_iter().chain(VALUES).collect();
    [
        HEAD.to_owned(),
        list("keywords", keywords.flat_map(all).collect()),
        list("clauses", all(Group::Clause)),
        list("memories", all(Group::Memory)),
        list("types", types),
        list("constants", constants),
        REST.to_owned(),
    ]
    .concat()
}

const HEAD: &str = r#";;; tile-mode.el --- Major mode for Tile, a language for GPU kernels  -*- lexical-binding: t; -*-

;; Package-Requires: ((emacs "28.1"))
;; Written by `cargo run -p tile-lsp --example grammars'; changes belong there.

;;; Commentary:

;; Colours, comments and indentation.  With Eglot, `M-x eglot' starts the language server.

;;; Code:

"#;

const REST: &str = r#"(defgroup tile nil
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
"#;
