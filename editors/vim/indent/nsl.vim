" Indentation as `nsl fmt` gives it: one step for each line that opened brackets which are still open, and one for a line
" that goes on with the statement of the line before.

if exists('b:did_indent')
  finish
endif
let b:did_indent = 1

setlocal indentexpr=NslIndent(v:lnum)
setlocal indentkeys=0},0],0),!^F,o,O,e
setlocal autoindent
let b:undo_indent = 'setlocal indentexpr< indentkeys< autoindent<'

if exists('*NslIndent')
  finish
endif

" The brackets, commas and operators of a line: without strings and comments.
function! s:Code(lnum) abort
  let text = substitute(getline(a:lnum), '"\%([^"\\]\|\\.\)*"\|#.*$', '\=submatch(0)[0] ==# "#" ? "" : "s"', 'g')
  return substitute(text, '^\s\+\|\s\+$', '', 'g')
endfunction

" The last line above that begins a declaration, and so with no bracket open.
function! s:Start(lnum) abort
  let at = a:lnum - 1
  while at > 1 && getline(at) !~# '^\%(profile\|sandbox\|pod\|syscalls\|use\|param\|let\)\>'
    let at -= 1
  endwhile
  return max([at, 1])
endfunction

function! NslIndent(lnum) abort
  let open = []
  let unfinished = 0
  for at in range(s:Start(a:lnum), a:lnum)
    let code = s:Code(at)
    let goes_on = unfinished && (empty(open) || open[-1].block)
    let closers = len(substitute(matchstr(code, '^[])} \t]*'), '\s', '', 'g'))
    if closers > 0 && closers <= len(open)
      let depth = open[-closers].outer
    else
      let depth = (empty(open) ? 0 : open[-1].inner) + goes_on
    endif
    if at == a:lnum
      return depth * shiftwidth()
    endif
    let group = code =~# '\<group\>'
    for sign in split(substitute(code, '[^][(){}]', '', 'g'), '\zs')
      if sign =~# '[[({]'
        let block = sign ==# '{' && !group
        let first = empty(open) || open[-1].line != at
        let outer = !first ? open[-1].inner : block && goes_on ? depth - 1 : depth
        call add(open, {'block': block, 'outer': outer, 'inner': outer + first, 'line': at})
      elseif !empty(open)
        call remove(open, -1)
      endif
    endfor
    if code !=# ''
      let unfinished = code =~# '\%([,=<>&]\|\<\%(and\|or\|not\|in\)\)$'
    endif
  endfor
endfunction
