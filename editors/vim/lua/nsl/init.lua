-- NSL in Neovim: the language server, and colours from the tree.
--
--     require('nsl').setup()
--
-- Neovim 0.8 and newer start the server themselves; with 0.7 it needs nvim-lspconfig. The tree-sitter parser is built
-- once, with a C compiler: `:lua require('nsl').build()`.

local M = {}

M.options = {
  -- The program that is the language server.
  command = { 'nsl', 'lsp' },
  -- Whether to start the server, to colour by the tree where its parser is there, and to lay a policy out when it is saved.
  lsp = true,
  treesitter = true,
  format_on_save = false,
}

local here = vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p:h:h:h')

--- Where the grammar is, next to this plugin.
function M.grammar()
  return vim.fn.fnamemodify(here, ':h') .. '/tree-sitter-nsl'
end

--- Compiles the parser into DIR/parser/nsl.so, by default below stdpath('data')/site, which is on the runtime path.
function M.build(dir)
  dir = (dir or vim.fn.stdpath('data') .. '/site') .. '/parser'
  vim.fn.mkdir(dir, 'p')
  local cc = vim.env.CC or 'cc'
  local source = M.grammar() .. '/src'
  local out = vim.fn.system({ cc, '-O2', '-shared', '-fPIC', '-std=c11', '-I', source, '-o', dir .. '/nsl.so', source .. '/parser.c' })
  if vim.v.shell_error ~= 0 then
    error('nsl: the parser could not be built: ' .. out)
  end
  return dir .. '/nsl.so'
end

local function has_parser()
  return #vim.api.nvim_get_runtime_file('parser/nsl.so', false) > 0
end

--- Colours a buffer by its tree; false where there is no parser.
function M.highlight(buffer)
  if not has_parser() then
    return false
  end
  if vim.treesitter.start then
    return (pcall(vim.treesitter.start, buffer, 'nsl'))
  end
  -- Neovim 0.7 and older.
  local ok, parser = pcall(vim.treesitter.get_parser, buffer, 'nsl')
  if ok then
    vim.treesitter.highlighter.new(parser, {})
  end
  return ok
end

--- Starts the language server for a buffer, or joins it to the one of its directory.
function M.start(buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  if not vim.lsp.start or vim.fn.executable(M.options.command[1]) == 0 then
    return nil
  end
  local root = vim.fs.find({ '.git' }, { upward = true, path = vim.fs.dirname(name) })[1]
  return vim.lsp.start({
    name = 'nsl',
    cmd = M.options.command,
    root_dir = root and vim.fs.dirname(root) or vim.fs.dirname(name),
  }, { bufnr = buffer })
end

local function attach(buffer)
  if M.options.treesitter then
    M.highlight(buffer)
  end
  if M.options.lsp then
    M.start(buffer)
  end
end

function M.setup(options)
  M.options = vim.tbl_deep_extend('force', M.options, options or {})
  local group = vim.api.nvim_create_augroup('nsl', { clear = true })
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    pattern = 'nsl',
    callback = function(event)
      attach(event.buf)
    end,
  })
  vim.api.nvim_create_autocmd('BufWritePre', {
    group = group,
    pattern = '*.nsl',
    callback = function()
      if M.options.format_on_save then
        M.format()
      end
    end,
  })
  -- Where nvim-lspconfig does the starting.
  local ok, configs = pcall(require, 'lspconfig.configs')
  if ok and not configs.nsl and not vim.lsp.start then
    local util = require('lspconfig.util')
    configs.nsl = {
      default_config = {
        cmd = M.options.command,
        filetypes = { 'nsl' },
        root_dir = util.find_git_ancestor,
        single_file_support = true,
      },
    }
    configs.nsl.setup({})
  end
end

--- Lays the current buffer out as `nsl fmt` does; leaves it alone where it cannot be read.
function M.format()
  local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n') .. '\n'
  local out = vim.fn.system({ M.options.command[1], 'fmt', '-' }, text)
  if vim.v.shell_error ~= 0 then
    return false
  end
  if out ~= text then
    local view = vim.fn.winsaveview()
    vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(out:gsub('\n$', ''), '\n'))
    vim.fn.winrestview(view)
  end
  return true
end

return M
