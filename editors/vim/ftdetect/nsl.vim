autocmd BufNewFile,BufRead *.nsl setfiletype nsl
