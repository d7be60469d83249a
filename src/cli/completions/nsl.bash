# Completes `nsl` command lines in bash 4 or newer. nsl itself says what a word may become.

_nsl() {
  # bash breaks words at `=` and `:` too: put together again what is not parted by white space.
  local line=${COMP_LINE:0:COMP_POINT} words=() part i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    part=${COMP_WORDS[i]}
    if [[ $line == [[:space:]]* || $i -eq 0 ]]; then
      line=${line#"${line%%[![:space:]]*}"}
      words+=("")
    fi
    # Of the last word what stands before the cursor.
    [[ $i -eq $COMP_CWORD ]] && part=$line
    words[${#words[@]}-1]+=$part
    line=${line:${#part}}
  done

  # What bash replaces is the part behind the last break.
  local typed=${words[${#words[@]}-1]} kept=""
  [[ $typed == *[=:]* && $typed != [\"\']* ]] && kept=${typed%"${typed##*[=:]}"}
  local current=${typed#"$kept"}

  local word quoted
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do
    case $word in
      :policies)
        compopt -o filenames
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -X '!*.nsl' -- "$current"; compgen -d -- "$current")
        ;;
      :files)
        compopt -o filenames
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
        ;;
      :directories)
        compopt -o filenames
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -d -- "$current")
        ;;
      *)
        [[ $word == *= ]] && compopt -o nospace
        word=${word#"$kept"}
        # What the shell would not read as one word.
        if [[ $word == *[^A-Za-z0-9_@%+=:,./-]* && $typed != [\"\']* ]]; then
          printf -v quoted %q "$word"
          word=$quoted
        fi
        COMPREPLY+=("$word")
        ;;
    esac
  done < <(command nsl __tab --quoted -- "${words[@]:1}" 2>/dev/null)
}

complete -o nosort -F _nsl nsl 2>/dev/null || complete -F _nsl nsl
