#!/bin/bash
# The step of action.yml: annotations on the standard output, counts for later steps. Ends with the status of `nsl check`,
# or 1 where only the layout is wrong.
set -uo pipefail

# Paths and targets are separated by blanks, and no patterns.
set -f
read -r -a paths <<<"${NSL_PATHS:-.}"
read -r -a targets <<<"${NSL_TARGETS:-}"
arguments=()
for target in "${targets[@]}"; do arguments+=(--target "$target"); done
[ "${NSL_DENY_WARNINGS:-false}" = true ] && arguments+=(--deny warnings)

if [ -n "${NSL_SARIF:-}" ]; then
  # Its status is that of the check below.
  nsl check --format sarif "${arguments[@]}" -- "${paths[@]}" >"$NSL_SARIF"
fi

found=$(nsl check --format github "${arguments[@]}" -- "${paths[@]}")
status=$?
[ -n "$found" ] && printf '%s\n' "$found"
{
  echo "errors=$(grep -c '^::error ' <<<"$found")"
  echo "warnings=$(grep -c '^::warning ' <<<"$found")"
} >>"${GITHUB_OUTPUT:-/dev/null}"

# What cannot be read has no layout either, and is told above.
if [ "${NSL_FORMAT:-true}" = true ] && [ "$status" -lt 2 ]; then
  unformatted=$(nsl fmt --check -- "${paths[@]}")
  case $? in
    0) ;;
    1)
      # Names may hold what ends a property.
      while IFS= read -r name; do
        escaped=${name//%/%25}
        escaped=${escaped//:/%3A}
        escaped=${escaped//,/%2C}
        echo "::error file=$escaped,title=nsl fmt::the layout is not that of \`nsl fmt\`; run \`nsl fmt $name\`"
      done <<<"$unformatted"
      [ "$status" = 0 ] && status=1
      ;;
    *) status=2 ;;
  esac
fi
exit "$status"
