(declaration body: (block) @class.inside) @class.around
(declaration kind: (kind "profile") body: (block) @function.inside) @function.around
(syscall_group) @function.around
(statement value: (_) @entry.inside) @entry.around
(argument value: (_) @parameter.inside) @parameter.around
(parameter) @parameter.inside
[(comment) (doc_comment)] @comment.inside
(comment)+ @comment.around
(doc_comment)+ @comment.around
