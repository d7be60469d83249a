# Tells which namespaces this container is in; then `web` serves that, and `who` asks `web` and compares.
for kind in user net ipc uts pid mnt; do readlink /proc/self/ns/$kind; done >/tmp/own
if [ "$1" = web ]; then
  exec /usr/bin/python3 -I -m http.server 8000 --bind 127.0.0.1 --directory /tmp
fi
/usr/bin/python3 -I -c '
import urllib.request
web = urllib.request.urlopen("http://127.0.0.1:8000/own").read().decode().split()
own = open("/tmp/own").read().split()
for mine, its in zip(own, web):
    print(mine, "is that of web too" if mine == its else "is mine alone; web has " + its)
'
echo "I see $(ls -d /proc/[0-9]* | wc -l) processes, and $(ls /tmp | wc -l) file in my /tmp"
