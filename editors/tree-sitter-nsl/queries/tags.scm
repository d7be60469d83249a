(
  (doc_comment)* @doc
  .
  (declaration kind: (kind "profile") name: (identifier) @name) @definition.function
  (#strip! @doc "^##[ \t]?")
  (#select-adjacent! @doc @definition.function)
)

(
  (doc_comment)* @doc
  .
  (declaration kind: (kind ["sandbox" "pod" "container"]) name: (identifier) @name) @definition.class
  (#strip! @doc "^##[ \t]?")
  (#select-adjacent! @doc @definition.class)
)

(
  (doc_comment)* @doc
  .
  (syscall_group name: (set_name) @name) @definition.constant
  (#strip! @doc "^##[ \t]?")
  (#select-adjacent! @doc @definition.constant)
)

(param_item name: (identifier) @name) @definition.variable
(let_item name: (identifier) @name) @definition.variable

(instance profile: (profile_name) @name) @reference.call
(set (set_name) @name) @reference.constant
