# What the three shells are asked about: a file with sandboxes and params, and names that need quotes.
mkdir -p "$1/site dir" && cd "$1"
cat >web.nsl <<'POLICY'
## What is served.
param site: path = ./site
param port: port = 8080/tcp
sandbox web {
  run = ["/bin/true"]
  user new
  mnt new {
    root = host(ro)
    mount /tmp = tmpfs
  }
}
sandbox worker { run = ["/bin/true"] }
POLICY
cp web.nsl "two words.nsl"
# One that is being written.
printf 'param port: port\nsandbox half {\n  run = [\n' >half.nsl
echo no policy >notes.txt
