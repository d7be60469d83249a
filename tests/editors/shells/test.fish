# Sources the script that `nsl completions fish` prints and asks fish what it would offer. Run by tests/editors/run.
sh $NSL_REPOSITORY/tests/editors/shells/policies.sh $argv[1]; or exit 1
cd $argv[1]
nsl completions fish | source

set -g failed 0
function expect --argument-names line wanted
    set -l got (complete -C "$line" | string split -f 1 \t | string join ' ')
    if test "$got" != "$wanted"
        echo "`$line`: wanted `$wanted`, got `$got`"
        set -g failed 1
    end
end

expect "nsl fre" freeze
expect "nsl run we" web.nsl
expect "nsl run ha" half.nsl
expect "nsl run no" ""
expect "nsl run web.nsl " "web worker"
expect "nsl run 'two words.nsl' wo" worker
expect "nsl run two\ words.nsl wo" worker
expect "nsl run half.nsl " half
expect "nsl run missing.nsl " ""
expect "nsl run web.nsl --set " "site= port="
expect "nsl run web.nsl --set port=" "port=8080/tcp"
expect "nsl run web.nsl --set site=we" "site=web.nsl"
expect "nsl run web.nsl --set=port=" "--set=port=8080/tcp"
expect "nsl check --target debian-13" "debian-13 debian-13:root"
expect "nsl explain hostname-wi" hostname-without-uts
expect "nsl why syscall ptra" ptrace
expect "nsl expand web.nsl web --why mnt.mount" "mnt.mount[/tmp]"
expect "nsl kill web US" "USR1 USR2"
expect "nsl run --cg" --cgroup-parent
complete -C "nsl run web.nsl --set po" | string match -q "*port = 8080/tcp"; or begin
    echo "a parameter without its type"
    set failed 1
end
exit $failed
