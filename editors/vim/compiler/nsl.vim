" `:make` checks the policy, and the quickfix window has the findings.

if exists('current_compiler')
  finish
endif
let current_compiler = 'nsl'

if exists(':CompilerSet') != 2
  command -nargs=* CompilerSet setlocal <args>
endif

CompilerSet makeprg=nsl\ check\ --format\ short\ %:S
CompilerSet errorformat=%f:%l:%c:\ %trror%m,%f:%l:%c:\ %tarning%m,%f:%l:%c:\ %m,%-G%.%#
