# Sourced by ./demo: the two identities of a job, on the Linux test ground, where the kernel tells users apart.
#
#   owner    submits the job, and may not write where its file is to go
#   helper   owns that folder, which is closed to everybody else, and lends its identity for files only
#   daemon   is neither; it may change identities, and nothing else
#
# All three are uids that no account has.  Uses say, step, fail, wait_for and $port, $work, $root of ./demo.

linux=$root/build/linux-release
ground='' daemon_pid=''

end_ground() {
  [ -z "$daemon_pid" ] || kill "$daemon_pid" 2>/dev/null || true
  [ -z "$ground" ] || rm -rf "$ground"
}

# as UID [setpriv's options] COMMAND...: as that user, in a session of its own, as somebody who logged on would be.
as() {
  local uid=$1
  shift
  setsid -w setpriv --reuid="$uid" --regid="$uid" --clear-groups "$@"
}
powers=(--inh-caps=-all,+setuid,+setgid --ambient-caps=-all,+setuid,+setgid --bounding-set=-all,+setuid,+setgid)
# The command line as the owner; with `lending` in front, as an agent that may also log on as others.
owner_says() { as "$owner" env FERRY_TEST_ROOT="$ground" "$ground/bin/ferry" "$@"; }
agent_says() { as "$owner" "${powers[@]}" env FERRY_TEST_ROOT="$ground" "$ground/bin/ferry" "$@"; }
refused() { # what is said in vain
  local words
  ! words=$("$@" 2>&1) || fail "not refused: $*"
  sed 's/^/    /' <<<"$words" | cut -c1-150
}
# The users of the connections to nginx that are open now, as the kernel knows them; but for our own, since the service
# under Wine keeps some.
asking_uids() {
  awk -v to=":$(printf '%04X' "$port")" 'substr($3, 9) == to && $4 == "01" && $8 != 0 { print $8 }' /proc/net/tcp | sort -u
}

two_identities() {
  step "two identities: build the Linux test ground"
  packaging/third-party/build linux
  cmake --preset linux-release -DFERRY_PARTIAL=OFF >build/configure-demo.log 2>&1 || { cat build/configure-demo.log; fail "cmake"; }
  cmake --build --preset linux-release --target ferryd ferry_cli -- --quiet

  step "two identities: three users"
  ground=$(mktemp -d /tmp/ferry-demo-XXXXXX)
  local base=$((1000000000 + RANDOM * 30000)) job landed sent
  [ "$(awk '{ printf "%d\n", $1 + $3 }' /proc/self/uid_map | sort -n | tail -1)" -gt $((base + 3)) ] ||
    base=$((30000 + RANDOM % 30000)) # in a container there may be few
  daemon=$((base + 1)) owner=$((base + 2)) helper=$((base + 3))
  chmod 755 "$ground"
  install -d -m 755 "$ground/bin"
  install -m 755 "$linux/ferryd-linux" "$linux/ferry" "$ground/bin"
  install -d -m 700 -o $daemon -g $daemon "$ground/data"
  install -d -m 700 -o $helper -g $helper "$ground/program-files-acme"
  chown $daemon:$daemon "$ground"
  landed=$ground/program-files-acme/acme.bin
  say "owner uid $owner, helper uid $helper, daemon uid $daemon; the helper's folder: $(stat -c '%A %u' "$ground/program-files-acme")"
  as $daemon "${powers[@]}" env FERRY_TEST_ROOT="$ground" "$ground/bin/ferryd-linux" console </dev/null >"$work/logs/ground.log" 2>&1 &
  served() { daemon_pid=$(pgrep -u $daemon ferryd-linux) && owner_says status >/dev/null 2>&1; }
  wait_for 10 served || fail "the daemon does not answer: $(cat "$work/logs/ground.log")"

  step "two identities: without the helper the job is refused"
  owner_says submit --suspended --name "Acme" "http://127.0.0.1:$port/large.bin" "$landed" >/dev/null || fail "submit"
  refused owner_says resume Acme

  step "two identities: the helper lends its identity for files; the owner goes on asking the server"
  owner_says helper flags Acme local-file || fail "flags"
  refused owner_says resume Acme
  echo "no password on this ground" | agent_says helper set Acme --user uid:$helper || fail "helper set"
  owner_says preflight Acme || fail "preflight"
  owner_says resume Acme || fail "resume"
  asked() { sent=$(asking_uids) && [ -n "$sent" ]; }
  wait_for 20 asked || fail "nobody asks nginx"
  [ "$sent" = "$owner" ] || fail "nginx is asked by uid $sent, not by the owner"
  owner_says wait Acme --quiet || fail "the job does not end"

  step "two identities: whose is what landed?"
  [ "$(stat -c '%u %a' "$landed")" = "$helper 600" ] || fail "it is $(stat -c '%u %a' "$landed")"
  cmp -s "$landed" "$work/www/large.bin" || fail "its bytes are wrong"
  local user
  for user in $owner $daemon; do
    ! as "$user" cat "$landed" >/dev/null 2>&1 || fail "uid $user may read it"
  done
  owner_says helper show Acme | sed 's/^/    /'
  say "nginx was asked by uid $sent: the owner's.  The file is uid $(stat -c %u "$landed")'s: the helper's, mode 600."
  say "Neither owner nor daemon can read it; its bytes are right."
  say "Proved by the Linux kernel: two identities kept apart in one job.  What Windows' tokens do in their place,"
  say "only Windows can show: tests/windows is ready for it."
  identities_shown=1
}

identities_shown=
if [ "$(id -u)" != 0 ] || ! type setpriv >/dev/null 2>&1; then
  say "SKIPPED: two identities in one job need root and setpriv (util-linux), to be several users"
else
  two_identities
fi
