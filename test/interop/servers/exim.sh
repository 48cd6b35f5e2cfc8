# Exim, the heavy build: PIPECONNECT, PRDR, CHUNKING, NTLM; STARTTLS on PORT, implicit TLS on TLS_PORT.
mkdir -p "$D"/{spool,log.d}
cp "$CERTS/cert.pem" "$CERTS/key.pem" "$D/"; chmod 600 "$D/key.pem"
chown -R Debian-exim "$D"/{spool,log.d,mail,cert.pem,key.pem}
cat >"$D/exim.conf" <<CF
exim_user = Debian-exim
exim_group = Debian-exim
primary_hostname = mx.example.test
spool_directory = $D/spool
log_file_path = $D/log.d/%slog
pid_file_path = $D/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = $PORT : $TLS_PORT
tls_on_connect_ports = $TLS_PORT
tls_advertise_hosts = *
tls_certificate = $D/cert.pem
tls_privatekey = $D/key.pem
auth_advertise_hosts = *
chunking_advertise_hosts = *
pipelining_advertise_hosts = *
pipelining_connect_advertise_hosts = *
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
prdr_enable = true
message_size_limit = 50M
smtp_accept_max = 100
# else what comes after the tenth message of a connection waits for the queue runner
smtp_accept_queue_per_connection = 0
smtp_enforce_sync = true
accept_8bitmime = true
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_ok
domainlist local_domains = example.test
begin acl
acl_rcpt:
  accept domains = +local_domains
         verify = recipient
  deny message = relay not permitted
acl_ok:
  accept
begin routers
inbox:
  driver = accept
  domains = +local_domains
  local_parts = inbox : two
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = $D/mail/\$local_part_data
  maildir_format
  user = Debian-exim
  create_directory
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = \${if and{{eq{\$auth2}{tester@example.test}}{eq{\$auth3}{secret}}}}
  server_set_id = \$auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = \${if and{{eq{\$auth1}{tester@example.test}}{eq{\$auth2}{secret}}}}
  server_set_id = \$auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${if eq{\$auth1}{tester@example.test}{secret}fail}
  server_set_id = \$auth1
ntlm:
  driver = spa
  public_name = NTLM
  server_password = \${if eq{\$auth1}{tester@example.test}{secret}fail}
  server_set_id = \$auth1
CF
describe exim "$PORT" "$TLS_PORT" smtp "$D/mail" ',"user":"tester@example.test","password":"secret"'
exim4 -C "$D/exim.conf" -bdf -q30m &
