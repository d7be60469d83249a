# Shows what each namespace does. Run it outside too: sh namespaces.sh
echo "user:   uid $(id -u); uids inside, outside and how many: $(tr -s ' ' </proc/self/uid_map)"
echo "uts:    the host is $(uname -n)"
echo "pid:    I am $$, and see $(ls -d /proc/[0-9]* | wc -l) processes"
echo "net:    $(($(wc -l </proc/net/dev) - 2)) interface(s)"
echo "mnt:    $(ls -A /home | wc -l) homes in $(wc -l </proc/self/mounts) mounts"
echo "ipc:    $(($(wc -l </proc/sysvipc/shm) - 1)) segments of shared memory"
echo "cgroup: I am in $(tail -1 /proc/self/cgroup | cut -d: -f3)"
echo "time:   up for $(cut -d. -f1 /proc/uptime) seconds"
