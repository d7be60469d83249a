# Types into a real zsh, presses Tab, and looks at what is offered. Run by tests/editors/run.
. "$NSL_REPOSITORY/tests/editors/shells/policies.sh" "$1"
zmodload zsh/zpty
nsl completions zsh > "$1/_nsl"

# In the shell that is typed into compadd says what it is given, and adds nothing.
zpty shell zsh -f -i
write() { zpty -w shell "$1"; }
write 'PS1= ; PS2= ; unsetopt zle_bracketed_paste prompt_cr prompt_sp 2>/dev/null; bindkey -e; zstyle ":completion:*" menu no'
write "cd ${(q)1}; fpath=(${(q)1} \$fpath); autoload -Uz compinit && compinit -u -d ${(q)1}/dump"
write 'compadd() {
  local -a found; local word
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  builtin compadd -A found "$@"
  for word in $found; do print -r -- "OFFER $IPREFIX$word"; done >>$OFFERS
  builtin compadd "$@"
}'
write "OFFERS=${(q)1}/offers; _say() { : >\$OFFERS; _main_complete; compstate[insert]=; compstate[list]=; print -r -- DONE >>\$OFFERS }"
write 'zle -C say complete-word _say; bindkey "^I" say; print READY-NOW'

integer failed=0
zpty -r shell echoed '*READY-NOW*READY-NOW*' || { print "zsh says nothing"; exit 1 }

expect() {
  local line=$1 wanted=$2 got echoed
  : > offers
  zpty -w -n shell "$line"$'\t'
  until [[ "$(<offers)" == *DONE* ]]; do
    zpty -r -t shell echoed || sleep 0.02
  done
  # The line is thrown away.
  zpty -w -n shell $'\x15'
  got=${(j: :)${(ou)${(M)${(f)"$(<offers)"}:#OFFER*}}}
  got=${got//OFFER /}
  if [[ $got != "$wanted" ]]; then
    print -r -- "\`$line\`: wanted \`$wanted\`, got \`$got\`"
    failed=1
  fi
}

expect "nsl fre" "freeze"
expect "nsl run we" "web.nsl"
expect "nsl run web.nsl " "web worker"
expect "nsl run web.nsl wo" "worker"
expect "nsl run 'two words.nsl' wo" "worker"
expect 'nsl run two\ words.nsl wo' "worker"
expect "nsl run half.nsl " "half"
expect "nsl run missing.nsl " ""
expect "nsl run web.nsl --set " "port= site="
expect "nsl run web.nsl --set port=" "port=8080/tcp"
expect "nsl run web.nsl --set site=we" "site=web.nsl"
expect "nsl run web.nsl --set=port=" "--set=port=8080/tcp"
expect "nsl check --target debian-13" "debian-13 debian-13:root"
expect "nsl explain hostname-wi" "hostname-without-uts"
expect "nsl why syscall ptra" "ptrace"
expect "nsl expand web.nsl web --why mnt.mount" 'mnt.mount\[/tmp\]'
expect "nsl kill web US" "USR1 USR2"
expect "nsl run --cg" "--cgroup-parent"
exit $failed
