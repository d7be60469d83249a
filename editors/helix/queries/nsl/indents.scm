[
  (block)
  (list)
  (arguments)
  (parameters)
  (parenthesized_expression)
  (syscall_group)
] @indent

["}" "]" ")"] @outdent
