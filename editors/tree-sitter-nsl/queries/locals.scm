(source_file) @local.scope
(declaration) @local.scope
(for_item) @local.scope

(use_item alias: (identifier) @local.definition.import)
(param_item name: (identifier) @local.definition.parameter)
(parameter name: (identifier) @local.definition.parameter)
(let_item name: (identifier) @local.definition.var)
(for_item name: (identifier) @local.definition.var)
(declaration kind: (kind "profile") name: (identifier) @local.definition.function)
(declaration kind: (kind ["sandbox" "pod" "container"]) name: (identifier) @local.definition.type)
(syscall_group name: (set_name) @local.definition.constant)

(reference . (identifier) @local.reference)
(interpolation . (identifier) @local.reference)
(instance module: (module_name) @local.reference)
(instance profile: (profile_name) @local.reference)
(set (set_name) @local.reference)
