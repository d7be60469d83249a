(source_file) @local.scope
(declaration) @local.scope
(for_item) @local.scope

(use_item alias: (identifier) @local.definition.namespace)
(param_item name: (identifier) @local.definition.variable.parameter)
(parameter name: (identifier) @local.definition.variable.parameter)
(let_item name: (identifier) @local.definition.variable)
(for_item name: (identifier) @local.definition.variable)

(reference . (identifier) @local.reference)
(interpolation . (identifier) @local.reference)
(instance module: (module_name) @local.reference)
