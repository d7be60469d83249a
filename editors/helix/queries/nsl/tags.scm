(declaration kind: (kind "profile") name: (identifier) @name) @definition.function
(declaration kind: (kind ["sandbox" "pod" "container"]) name: (identifier) @name) @definition.class
(syscall_group name: (set_name) @name) @definition.constant
