# aiosmtpd: a small, literal server in Python, without PIPELINING and CHUNKING; AUTH LOGIN and PLAIN.
describe aiosmtpd "$PORT" "$TLS_PORT" smtp "$D/mail" ',"user":"tester@example.test","password":"secret"'
/usr/bin/python3 "$HERE/servers/maildirs.py" "$PORT" "$TLS_PORT" "$D/mail" "$CERTS" &
