" Run by tests/editors/run in Vim and Neovim: colours, indentation, `:make`, undo of the file type plugin.
" $NSL_REPOSITORY is the repository, $NSL_FAILURES the file for what fails.

set nocompatible nomore
let s:root = $NSL_REPOSITORY
execute 'set runtimepath^=' . s:root . '/editors/vim'
filetype plugin indent on
syntax on

function! s:Group(line, word) abort
  let text = getline(a:line)
  let column = stridx(text, a:word) + 1
  if column == 0
    call add(v:errors, 'line ' . a:line . ' has no ' . a:word)
  endif
  return synIDattr(synID(a:line, column, 1), 'name')
endfunction

function! s:Colour(group, pattern, word) abort
  let line = search(a:pattern, 'nw')
  call assert_equal(a:group, s:Group(line, a:word), a:pattern . ': ' . a:word)
endfunction

function! TestColours() abort
  execute 'edit' s:root . '/tests/editors/colours.nsl'
  call assert_equal('nsl', &filetype)
  call s:Colour('nslDocComment', '^##', '##')
  call s:Colour('nslKeyword', '^use', 'use')
  call s:Colour('nslModule', '^use', 'std/service')
  call s:Colour('nslTailWord', '^use', 'as')
  call s:Colour('nslType', '^param', 'path')
  call s:Colour('nslPath', '^param', './site')
  call s:Colour('nslComment', '^param', '#')
  call s:Colour('nslKeyword', '^let', 'let')
  call s:Colour('nslNumber', '^let', '443/tcp')
  call s:Colour('nslAddress', '^let', '127.0.0.1')
  call s:Colour('nslGroupName', '^syscalls', 'mine')
  call s:Colour('nslSyscall', '^syscalls', 'openat2')
  call s:Colour('nslSet', '^syscalls', '@basic')
  call s:Colour('nslDeclaration', '^profile', 'profile')
  call s:Colour('nslName', '^profile', 'base')
  call s:Colour('nslType', '^profile', 'size')
  call s:Colour('nslType', '^profile', 'path')
  call s:Colour('nslModifier', 'default prefer', 'default')
  call s:Colour('nslModifier', 'default prefer', 'prefer')
  call s:Colour('nslField', 'default prefer', 'memory.max')
  call s:Colour('nslReference', 'default prefer', '$memory')
  call s:Colour('nslKeyword', 'for dir', 'for')
  call s:Colour('nslVariable', 'for dir', 'dir')
  call s:Colour('nslOperatorWord', 'for dir', 'in ')
  call s:Colour('nslDeclaration', '^sandbox', 'sandbox')
  call s:Colour('nslProfile', '^sandbox', 'svc.hardened')
  call s:Colour('nslArgumentName', '^sandbox', 'memory')
  call s:Colour('nslNumber', '^sandbox', '256MiB')
  call s:Colour('nslField', '^  run', 'run')
  call s:Colour('nslString', '^  run', '/bin/sh')
  call s:Colour('nslEscape', '^  run', '\"')
  call s:Colour('nslHole', '^  run', '${site}')
  call s:Colour('nslBadEscape', '^  run', '\q')
  call s:Colour('nslHead', 'unknown', 'unknown')
  call s:Colour('nslSection', 'pid new', 'pid')
  call s:Colour('nslValue', 'pid new', 'new')
  call s:Colour('nslField', 'pid new', 'init')
  call s:Colour('nslValue', 'pid new', 'true')
  call s:Colour('nslValue', 'user join', 'join')
  call s:Colour('nslArgument', 'user join', 'pid')
  call s:Colour('nslField', 'mount /srv', 'mount')
  call s:Colour('nslPath', 'mount /srv', '/srv')
  call s:Colour('nslValue', 'mount /srv', 'bind')
  call s:Colour('nslValue', 'mount /tmp', 'noexec')
  call s:Colour('nslSection', 'caps', 'caps')
  call s:Colour('nslCapability', 'caps', 'net_admin')
  call s:Colour('nslField', 'deny socket', 'deny')
  call s:Colour('nslSyscall', 'deny socket', 'socket')
  call s:Colour('nslConstant', 'deny socket', 'AF_UNIX')
  call s:Colour('nslConstant', 'deny socket', 'EPERM')
  call s:Colour('nslSignal', 'stop', 'TERM')
endfunction

" Every policy that is laid out by `nsl fmt`, with its indentation taken away and given back.
function! TestIndent() abort
  let files = []
  for place in ['examples/*.nsl', 'examples/*/*.nsl', 'stdlib/*.nsl', 'tests/language/policies/*.nsl',
        \ 'tests/language/syntax/shapes.nsl', 'tests/editors/*.nsl']
    call extend(files, glob(s:root . '/' . place, 1, 1))
  endfor
  call assert_true(len(files) > 20, 'too few policies')
  for file in files
    execute 'edit!' file
    let wanted = getline(1, '$')
    silent %s/^\s\+//e
    silent normal! gg=G
    let got = getline(1, '$')
    for at in range(len(wanted))
      if wanted[at] !=# get(got, at, '')
        call assert_equal(wanted[at], get(got, at, ''), file . ':' . (at + 1))
        break
      endif
    endfor
    edit!
  endfor
endfunction

" What is typed is indented while it is typed.
function! TestTyping() abort
  enew!
  setfiletype nsl
  call feedkeys("isandbox a {\<CR>run = [\<CR>\"x\",\<CR>]\<CR>mnt new {\<CR>root = host(ro)\<CR>}\<CR>}\<Esc>", 'xt')
  call assert_equal(['sandbox a {', '  run = [', '    "x",', '  ]', '  mnt new {', '    root = host(ro)', '  }', '}'], getline(1, '$'))
  set nomodified
endfunction

function! s:Found(line, column, type, code) abort
  let found = map(filter(getqflist(), 'v:val.valid'), '[v:val.lnum, v:val.col, v:val.type]')
  call assert_true(index(found, [a:line, a:column, a:type]) >= 0, string(found))
  call assert_match(a:code, string(getqflist()))
endfunction

function! TestMake() abort
  let file = tempname() . '.nsl'
  call writefile(['let unused = 5', 'sandbox a {', '  run = ["/bin/true"]', '  hostnam = "x"', '}'], file)
  execute 'edit' file
  silent make!
  call s:Found(4, 3, 'e', 'unknown-key')
  call setline(1, ['let unused = 5', 'sandbox a {', '  run = ["/bin/true"]', '  user new', '}'])
  silent write
  silent make!
  call s:Found(1, 5, 'w', 'unused-let')
endfunction

function! TestFormat() abort
  enew!
  setfiletype nsl
  call setline(1, ['sandbox a {', 'run   = ["/bin/true"]', '}'])
  silent normal! gggqG
  call assert_equal(['sandbox a {', '  run = ["/bin/true"]', '}'], getline(1, '$'))
  set nomodified
endfunction

function! TestExplain() abort
  enew!
  setfiletype nsl
  silent NslExplain unused-let
  call assert_true(search('unused', 'nw') > 0, 'no page')
  close!
  execute 'edit' s:root . '/examples/hello.nsl'
  silent NslExpand
  call assert_equal('nsl', &filetype)
  call assert_true(search('^sandbox hello', 'nw') > 0, 'not expanded')
  close!
endfunction

function! TestUndo() abort
  execute 'edit' s:root . '/examples/hello.nsl'
  call assert_equal(2, &shiftwidth)
  setfiletype text
  set filetype=text
  call assert_notequal('NslIndent(v:lnum)', &indentexpr)
  call assert_equal(0, exists(':NslPlan'))
endfunction

for s:test in ['TestColours', 'TestIndent', 'TestTyping', 'TestMake', 'TestFormat', 'TestExplain', 'TestUndo']
  try
    call call(s:test, [])
  catch
    call add(v:errors, s:test . ': ' . v:exception . ' at ' . v:throwpoint)
  endtry
endfor
call writefile(v:errors, $NSL_FAILURES)
execute empty(v:errors) ? 'qall!' : 'cquit'
