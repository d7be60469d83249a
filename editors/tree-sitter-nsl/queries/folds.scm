[
  (block)
  (list)
  (arguments)
  (parameters)
  (syscall_group)
] @fold

; Comments that stand below each other.
((comment)+ @fold)
((doc_comment)+ @fold)
