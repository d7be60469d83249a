; As nvim-treesitter reads them; editors/helix has those of Helix.
[
  (block)
  (list)
  (arguments)
  (parameters)
  (parenthesized_expression)
  (syscall_group)
] @indent.begin

; What goes on behind a comma or an operator.
[
  (require_item)
  (instance)
] @indent.begin

["}" "]" ")"] @indent.branch
(block "}" @indent.end)
(list "]" @indent.end)
(arguments ")" @indent.end)
(parameters ")" @indent.end)
(syscall_group "}" @indent.end)

[(comment) (doc_comment)] @indent.auto
(ERROR) @indent.auto
