-- Run by tests/editors/run in Neovim: the parser is built and loaded, the queries compile there and capture what they should.

local failures = {}
local function check(ok, text)
  if not ok then
    table.insert(failures, text)
  end
end

local function test()
  local root = vim.env.NSL_REPOSITORY
  local site = vim.env.NSL_SITE
  vim.opt.runtimepath:prepend(root .. '/editors/vim')
  vim.fn.mkdir(site, 'p')
  vim.opt.runtimepath:prepend(site)
  local nsl = require('nsl')
  check(vim.loop.fs_stat(nsl.build(site)) ~= nil, 'no parser was built')
  nsl.setup({ format_on_save = true })
  vim.cmd('filetype plugin indent on')
  vim.cmd('edit ' .. root .. '/tests/editors/colours.nsl')
  local buffer = vim.api.nvim_get_current_buf()
  local parser = vim.treesitter.get_parser(buffer, 'nsl')
  local tree = parser:parse()[1]
  local source = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
  for _, name in ipairs({ 'highlights', 'injections', 'locals', 'folds', 'indents', 'tags' }) do
    local files = vim.api.nvim_get_runtime_file('queries/nsl/' .. name .. '.scm', true)
    check(#files == 1, name .. ': ' .. #files .. ' files')
    local text = table.concat(vim.fn.readfile(files[1]), '\n')
    local ok, problem = pcall(vim.treesitter.parse_query or vim.treesitter.query.parse, 'nsl', text)
    check(ok, name .. ': ' .. tostring(problem))
  end
  local text = table.concat(vim.fn.readfile(vim.api.nvim_get_runtime_file('queries/nsl/highlights.scm', false)[1]), '\n')
  local query = (vim.treesitter.parse_query or vim.treesitter.query.parse)('nsl', text)
  local got = {}
  for id, node in query:iter_captures(tree:root(), buffer, 0, -1) do
    local row, from, _, to = node:range()
    got[query.captures[id] .. ' ' .. (source[row + 1] or ''):sub(from + 1, to)] = true
  end
  for _, wanted in ipairs({
    'comment.documentation ## A profile that every editor\'s test looks at.', 'keyword.import use', 'module std/service',
    'type.builtin path', 'string.special.path ./site', 'number 443/tcp', 'label mine', 'function.builtin openat2',
    'keyword.type profile', 'function base', 'keyword.modifier default', 'property memory.max', 'keyword.repeat for',
    'type web', 'property run', 'type.builtin pid', 'constant.builtin new', 'boolean true', 'function.call join',
    'variable.parameter memory', 'constant.builtin ro', 'constant net_admin', 'constant AF_UNIX',
    'constant EPERM', 'constant TERM', 'property mount', 'type.builtin caps',
  }) do
    check(got[wanted], 'not captured: ' .. wanted)
  end
  check(not got['property unknown'], 'a field that there is not has a colour')
  check(nsl.highlight(buffer), 'no colours from the tree')
  -- Formatting replaces what differs, and nothing where the text has errors.
  vim.cmd('enew!')
  vim.api.nvim_buf_set_lines(0, 0, -1, false, { 'sandbox a {', 'run   = ["/bin/true"]', '}' })
  check(nsl.format(), 'not formatted')
  check(vim.api.nvim_buf_get_lines(0, 1, 2, false)[1] == '  run = ["/bin/true"]', vim.api.nvim_buf_get_lines(0, 1, 2, false)[1])
  vim.api.nvim_buf_set_lines(0, 0, -1, false, { 'sandbox a {', 'run = = 5', '}' })
  check(not nsl.format() and vim.api.nvim_buf_get_lines(0, 1, 2, false)[1] == 'run = = 5', 'what is wrong was formatted')
end

local ok, problem = pcall(test)
check(ok, problem)
vim.fn.writefile(failures, vim.env.NSL_FAILURES)
vim.cmd(#failures == 0 and 'qall!' or 'cquit')
