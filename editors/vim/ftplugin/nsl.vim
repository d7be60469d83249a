" NSL, sandboxes as code.

if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:##,:# commentstring=#\ %s
setlocal formatoptions-=t formatoptions+=croql
setlocal expandtab shiftwidth=2 softtabstop=2
setlocal iskeyword+=-
setlocal suffixesadd=.nsl
setlocal include=^\\s*use\\s\\+
let &l:define = '^\s*\%(profile\|sandbox\|pod\|container\|let\|param\|syscalls\s\+group\)\s'
setlocal foldmethod=indent foldlevel=99

if executable('nsl')
  setlocal formatprg=nsl\ fmt\ -
  setlocal keywordprg=:NslExplain
endif
if !exists('g:current_compiler')
  compiler nsl
endif

" The page behind a finding: the code under the cursor, or the one that is given.
command! -buffer -nargs=? NslExplain call s:Show('explain ' . shellescape(<q-args> !=# '' ? <q-args> : expand('<cword>')), 'explain')
" The policy without its profiles; what a run would do; the findings in the quickfix window.
command! -buffer -nargs=* NslExpand call s:Show('expand ' . shellescape(expand('%:p')) . ' ' . <q-args>, 'nsl')
command! -buffer -nargs=* NslPlan call s:Show('plan ' . shellescape(expand('%:p')) . ' ' . <q-args>, 'plan')
command! -buffer NslCheck silent make! | cwindow

if !exists('*s:Show')
  function! s:Show(command, type) abort
    let lines = systemlist('nsl ' . a:command)
    new
    setlocal buftype=nofile bufhidden=wipe noswapfile
    call setline(1, lines)
    if a:type ==# 'nsl'
      setfiletype nsl
    endif
    setlocal nomodifiable
  endfunction
endif

let b:undo_ftplugin = 'setlocal comments< commentstring< formatoptions< expandtab< shiftwidth< softtabstop< iskeyword<'
      \ . ' suffixesadd< include< define< foldmethod< foldlevel< formatprg< keywordprg<'
      \ . '| silent! delcommand -buffer NslExplain | silent! delcommand -buffer NslExpand'
      \ . '| silent! delcommand -buffer NslPlan | silent! delcommand -buffer NslCheck'
