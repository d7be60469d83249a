; The text behind `-c` of a shell is a script.
((list
  . (string (string_content) @_shell)
  . (string (string_content) @_option)
  . (string (string_content) @injection.content))
  (#match? @_shell "/(sh|bash|dash|ash)$")
  (#match? @_option "^-[a-z]*c$")
  (#set! injection.language "bash"))

; The same for Python.
((list
  . (string (string_content) @_python)
  . (string (string_content))*
  . (string (string_content) @_option)
  . (string (string_content) @injection.content))
  (#match? @_python "/python3?$")
  (#eq? @_option "-c")
  (#set! injection.language "python"))

([(comment) (doc_comment)] @injection.content
  (#set! injection.language "comment"))
