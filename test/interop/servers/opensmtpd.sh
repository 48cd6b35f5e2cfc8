# OpenSMTPD: no PIPELINING. On Debian 12 (6.8 with OpenSSL 3) every TLS handshake fails: a server whose STARTTLS is broken.
cp "$CERTS/rsa-cert.pem" "$D/cert.pem"; cp "$CERTS/rsa-key.pem" "$D/key.pem"; chmod 600 "$D/key.pem"
chown nobody "$D/mail"
printf 'tester %s\n' "$(openssl passwd -6 secret)" >"$D/creds"; chmod 640 "$D/creds"; chgrp opensmtpd "$D/creds"
printf '%s@example.test nobody\n' inbox two >"$D/users"
cat >"$D/smtpd.conf" <<CF
pki mx.example.test cert "$D/cert.pem"
pki mx.example.test key "$D/key.pem"
table creds file:$D/creds
table users file:$D/users
smtp max-message-size "50M"
listen on 127.0.0.1 port $PORT tls pki mx.example.test auth-optional <creds> hostname mx.example.test
listen on 127.0.0.1 port $TLS_PORT smtps pki mx.example.test auth-optional <creds> hostname mx.example.test
action "inbox" maildir "$D/mail/%{rcpt.user}" virtual <users>
match from any for domain "example.test" action "inbox"
CF
# spool, sockets and empty directory are compiled in
mount -t tmpfs none /var/spool
mkdir -m 711 /var/spool/smtpd
while read -r name mode user group; do
  mkdir "/var/spool/smtpd/$name"; chown "$user:$group" "/var/spool/smtpd/$name"; chmod "$mode" "/var/spool/smtpd/$name"
done <<LIST
offline 770 root opensmtpq
purge 700 opensmtpq root
queue 700 opensmtpq root
corrupt 700 opensmtpq root
incoming 700 opensmtpq root
temporary 700 opensmtpq root
LIST
mount -t tmpfs none /var/lib; mkdir -p /var/lib/opensmtpd/empty
mount -t tmpfs none "$(readlink -f /var/run)"
describe opensmtpd "$PORT" "$TLS_PORT" smtp "$D/mail" ',"brokenTls":true,"user":"tester","password":"secret"'
/usr/sbin/smtpd -dv -f "$D/smtpd.conf" &
