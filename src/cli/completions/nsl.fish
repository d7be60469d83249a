# Completes `nsl` command lines in fish 3.4 or newer. nsl itself says what a word may become.

function __nsl_complete
    set -l typed (commandline -opc)
    set -e typed[1]
    set -l raw (commandline -ct)
    # A quote that is still open cannot be undone.
    set -l current (string unescape -- $raw); or set current (string trim -l -c "'\"" -- $raw)
    for line in (command nsl __tab -- $typed "$current" 2>/dev/null)
        set -l parts (string split -m 1 \t -- $line)
        # What stands before a path in the same word.
        set -l before $parts[2]
        set -l path (string sub -s (math (string length -- "$before") + 1) -- "$current")
        switch $parts[1]
            case :policies
                for found in (__fish_complete_path "$path")
                    string match -qr '(\.nsl|/)(\t|$)' -- $found; and echo -- $before$found
                end
            case :files
                for found in (__fish_complete_path "$path")
                    echo -- $before$found
                end
            case :directories
                for found in (__fish_complete_directories "$path" '')
                    echo -- $before$found
                end
            case '*'
                echo -- $line
        end
    end
end

complete -c nsl -e
complete -c nsl -k -f -a '(__nsl_complete)'
