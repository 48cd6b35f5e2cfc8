#!/bin/bash
# Real mail servers on loopback for the interop tests, side by side, with nothing installed.
#
#   servers.sh start FILE.json [NAME...]   starts them and writes what can be reached where
#   servers.sh stop                        ends them and removes their run directory; downloads stay for the next time
#   servers.sh purge                       stop, and the downloads go too
#   servers.sh fetch [NAME...]             download and unpack only (for a CI cache of $WORK)
#
# Each server lives in its own mount and process namespace, where its unpacked Debian packages lie over /usr and /etc.
# So the MTAs do not exclude each other, no user is added to the machine, and killing one process ends a server whole.
# Needs: Debian 12, root, apt with a reachable mirror (first run only), node, openssl.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export WORK=${SMTPUMP_INTEROP_DIR:-/tmp/smtpump-interop}
DEBS=$WORK/debs ROOTS=$WORK/roots RUN=$WORK/run
export CERTS=$WORK/certs
ALL="postfix exim dovecot opensmtpd aiosmtpd"
APT="apt-get -qq ${SMTPUMP_APT_OPTIONS:-} -o APT::Sandbox::User=root -o Acquire::Retries=3"

packages() {
  case $1 in
    postfix) echo postfix sasl2-bin libsasl2-2 libsasl2-modules libsasl2-modules-db ;;
    exim) echo exim4-daemon-heavy exim4-base ;;
    dovecot) echo dovecot-core dovecot-lmtpd dovecot-submissiond ;;
    opensmtpd) echo opensmtpd ;;
    aiosmtpd) echo python3-aiosmtpd python3-attr python3-public ;;
  esac
}

# The packages and whatever of their dependencies this machine lacks, unpacked but not installed.
fetch() {
  local name=$1 root=$ROOTS/$1 wanted
  [ -e "$root/.complete" ] && return 0
  rm -rf "$root"; mkdir -p "$root" "$DEBS"
  # shellcheck disable=SC2046
  closure() { $APT install --simulate -y --no-install-recommends $(packages "$name") 2>"$root.log" | sed -n 's/^Inst \([^ ]*\) .*/\1/p'; }
  wanted=$(closure) || { $APT update >"$root.log" 2>&1; wanted=$(closure); }
  # shellcheck disable=SC2046
  wanted=$(printf '%s\n' $wanted $(packages "$name") | sort -u)
  local missing=()
  for p in $wanted; do compgen -G "$DEBS/${p}_*.deb" >/dev/null || missing+=("$p"); done
  # a stale list asks for versions that the mirror no longer has
  if [ ${#missing[@]} -gt 0 ]; then
    (cd "$DEBS" && { $APT download "${missing[@]}" || { $APT update && $APT download "${missing[@]}"; }; }) >"$root.log" 2>&1
  fi
  for p in $wanted; do dpkg-deb -x "$(ls -t "$DEBS/${p}"_*.deb | head -1)" "$root"; done
  # before usr-merge a package may bring /lib; its files belong under /usr
  for d in lib bin sbin; do if [ -d "$root/$d" ]; then mkdir -p "$root/usr/$d"; cp -a "$root/$d/." "$root/usr/$d/"; fi; done
  mkdir -p "$root/etc"; touch "$root/.complete"
}

# Users of the servers exist only in the namespace.
users() {
  local etc=$ROOTS/$1/etc id=970 user
  cp /etc/passwd "$etc/passwd"; cp /etc/group "$etc/group"
  for user in postfix postdrop Debian-exim dovecot dovenull opensmtpd opensmtpq; do
    id=$((id + 1))
    getent passwd "$user" >/dev/null || echo "$user:x:$id:$id::/nonexistent:/usr/sbin/nologin" >>"$etc/passwd"
    getent group "$user" >/dev/null || echo "$user:x:$id:" >>"$etc/group"
  done
}

certificates() {
  # a day before the end they are made anew
  [ -s "$CERTS/rsa-cert.pem" ] && openssl x509 -checkend 86400 -noout -in "$CERTS/rsa-cert.pem" >/dev/null && return 0
  mkdir -p "$CERTS"
  local ext="subjectAltName=DNS:localhost,DNS:mx.example.test,IP:127.0.0.1"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$CERTS/key.pem" -out "$CERTS/cert.pem" -days 30 -subj /CN=localhost -addext "$ext" 2>/dev/null
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$CERTS/rsa-key.pem" -out "$CERTS/rsa-cert.pem" -days 30 -subj /CN=localhost -addext "$ext" 2>/dev/null
}

# Each recipe gets: D its directory, PORT and TLS_PORT, and for the relay of Dovecot RELAY_PORT.
launch() {
  local name=$1 port=$2 tls=$3 dir=$RUN/$1
  mkdir -p "$dir/mail"; chmod 755 "$dir"; users "$name"
  D=$dir PORT=$port TLS_PORT=$tls PORT3=$4 TLS_PORT3=$5 RELAY_PORT=$6 ROOT=$ROOTS/$name HERE=$HERE \
    setsid unshare --mount --pid --fork --mount-proc --kill-child \
    bash "$HERE/servers/enter.sh" "$name" >"$dir/log" 2>&1 </dev/null &
  echo $! >"$RUN/$name.pid"
}

free_ports() {
  node -e 'const n=require("node:net"),s=[];let k=+process.argv[1];const p=k;for(let i=0;i<p;i++){const x=n.createServer();s.push(x);x.listen(0,"127.0.0.1",()=>{if(--k===0){console.log(s.map(y=>y.address().port).join(" "));s.forEach(y=>y.close())}})}' "$1"
}

start() {
  local out=$1; shift
  local names=${*:-$ALL} name reason
  stop
  mkdir -p "$WORK" "$RUN"; chmod 755 "$WORK" "$RUN"
  [ "$(id -u)" = 0 ] || { skip_all "needs root" "$out" "$names"; return 0; }
  unshare --mount true 2>/dev/null || { skip_all "needs the right to make a mount namespace" "$out" "$names"; return 0; }
  certificates
  local -a ports; read -ra ports <<<"$(free_ports 20)"
  local at=0
  for name in $names; do
    # a process of its own: inside a condition the shell would run on after an error
    if "${BASH_SOURCE[0]}" fetch "$name"; then
      launch "$name" "${ports[at]}" "${ports[at + 1]}" "${ports[at + 2]}" "${ports[at + 3]}" "${ports[0]}"
    else
      reason="could not be fetched: $(tail -c 300 "$ROOTS/$name.log" | tr '\n"\\' "   ")"
      printf '{"%s":{"skipped":"%s"}}\n' "$name" "$reason" >"$RUN/$name.json"
    fi
    at=$((at + 4))
  done
  node "$HERE/servers/probe.mjs" "$RUN" "$out" $names
}

skip_all() {
  mkdir -p "$RUN"
  for name in $3; do printf '{"%s":{"skipped":"%s"}}\n' "$name" "$1" >"$RUN/$name.json"; done
  node "$HERE/servers/probe.mjs" "$RUN" "$2" $3
}

# Is this still ours, and alive? A number may belong to somebody else by now, and a zombie has no command line.
ours() { grep -qa "$HERE/servers/enter.sh" "/proc/$1/cmdline" 2>/dev/null; }

# Killing process 1 of a namespace kills all in it; then its parent, `unshare`, ends too.
stop() {
  local file pid
  for file in "$RUN"/*.pid; do
    [ -e "$file" ] || continue
    pid=$(cat "$file")
    ours "$pid" || continue
    # shellcheck disable=SC2046
    kill -KILL $(cat "/proc/$pid/task/$pid/children") 2>/dev/null || kill -KILL "$pid"
    for _ in $(seq 100); do ours "$pid" || break; sleep 0.05; done
  done
  rm -rf "$RUN"
}

case ${1:-} in
  start) shift; start "$@" ;;
  stop) stop ;;
  purge) stop; rm -rf "$WORK" ;;
  fetch) shift; for name in ${*:-$ALL}; do fetch "$name"; done ;;
  *) sed -n '2,15p' "$0" | sed 's/^# \{0,1\}//'; exit 64 ;;
esac
