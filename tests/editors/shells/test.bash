# Sources the script that `nsl completions bash` prints and asks it, as readline does. Run by tests/editors/run.
set -u
. "$NSL_REPOSITORY/tests/editors/shells/policies.sh" "$1"
eval "$(nsl completions bash)"
complete -p nsl | grep -q -- '-F _nsl' || { echo "nothing is registered"; exit 1; }
# Only a completion that runs may set options.
compopt() { options+=" $*"; }

failed=0
# expect WORDS... -- LINE: of the line, at its end, become these words.
expect() {
  local line=$1 wanted=$2 options=""
  COMP_LINE=$line COMP_POINT=${#line}
  # As bash itself breaks words: at white space outside of quotes, and around the characters of COMP_WORDBREAKS.
  mapfile -t COMP_WORDS < <(python3 - "$line" <<'PYTHON'
import re, sys
words = re.findall(r"""(?:"[^"]*"?|'[^']*'?|\\.|[^\s=:"'\\])+|[=:]+""", sys.argv[1])
print("\n".join(words + ([""] if sys.argv[1].endswith(" ") else [])))
PYTHON
  )
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _nsl nsl
  local got="${COMPREPLY[*]}"
  if [[ $got != "$wanted" ]]; then
    echo "\`$line\`: wanted \`$wanted\`, got \`$got\`"
    failed=1
  fi
}

expect "nsl fre" "freeze"
expect "nsl run we" "web.nsl"
expect "nsl run ha" "half.nsl"
expect "nsl run no" ""
expect "nsl run si" "site dir"
expect "nsl run web.nsl " "web worker"
expect "nsl run web.nsl wo" "worker"
expect "nsl run 'two words.nsl' " "web worker"
expect 'nsl run two\ words.nsl ' "web worker"
expect "nsl run half.nsl " "half"
expect "nsl run missing.nsl " ""
expect "nsl run web.nsl --set " "site= port="
expect "nsl run web.nsl --set po" "port="
expect "nsl run web.nsl --set port=" "8080/tcp"
expect "nsl run web.nsl --set port=80" "8080/tcp"
expect "nsl run web.nsl --set site=we" "web.nsl"
expect "nsl run web.nsl --set=port=" "8080/tcp"
expect "nsl run web.nsl --set port=1/tcp --set " "site="
expect "nsl check --target debian-13" "debian-13 debian-13:root"
expect "nsl check --format gith" "github"
expect "nsl explain hostname-wi" "hostname-without-uts"
expect "nsl why sys" "syscall"
expect "nsl why syscall ptra" "ptrace"
expect "nsl why syscall socket fam" "family="
expect "nsl expand web.nsl web --why mnt.mount" 'mnt.mount\[/tmp\]'
expect "nsl kill web US" "USR1 USR2"
expect "nsl ns en" "enter"
expect "nsl run --cg" "--cgroup-parent"
# The cursor is not always at the end.
COMP_LINE="nsl explain hostname-wi rest" COMP_POINT=23 COMP_WORDS=(nsl explain hostname-wi rest) COMP_CWORD=2
_nsl nsl
[ "${COMPREPLY[*]}" = hostname-without-uts ] || { echo "inside of a line: ${COMPREPLY[*]}"; failed=1; }
exit $failed
