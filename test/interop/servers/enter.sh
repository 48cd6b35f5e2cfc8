# Process 1 of a server's namespace: lays the unpacked packages over the machine's, then runs the recipe.
set -eu
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$ROOT/usr:/usr" /usr
mount -t overlay overlay -o "lowerdir=$ROOT/etc:/etc" /etc
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
# what the JSON says of every server alike
describe() { # NAME PORT TLS_PORT PROTOCOL MAIL_DIR [more json]
  printf '{"%s":{"host":"127.0.0.1","port":%s,"implicitTlsPort":%s,"protocol":"%s","mail":"%s","recipients":["inbox@example.test","two@example.test"],"refused":"nobody@elsewhere.test","ca":"%s","log":"%s"%s}}\n' \
    "$1" "$2" "$3" "$4" "$5" "$CERTS/cert.pem" "$D/log" "${6:-}" >"$D/../$1.json"
}
. "$HERE/servers/$1.sh"
wait
