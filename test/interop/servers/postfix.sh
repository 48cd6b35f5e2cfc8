# Postfix: CHUNKING, DSN, SMTPUTF8, ETRN, SASL with SCRAM; STARTTLS on PORT, implicit TLS on TLS_PORT.
mkdir -p "$D"/{conf/sasl,spool,data}
chown postfix "$D/data"; chown nobody "$D/mail"
cat >"$D/conf/main.cf" <<CF
compatibility_level = 3.6
queue_directory = $D/spool
data_directory = $D/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
myhostname = mx.example.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.9/32
virtual_mailbox_domains = example.test
virtual_mailbox_base = $D/mail
virtual_mailbox_maps = inline:{ { inbox@example.test = inbox/ }, { two@example.test = two/ } }
virtual_uid_maps = static:$(id -u nobody)
virtual_gid_maps = static:$(id -g nobody)
virtual_minimum_uid = 100
# nothing ever leaves this machine
default_transport = discard
relay_transport = discard
disable_dns_lookups = yes
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_tls_cert_file = $CERTS/cert.pem
smtpd_tls_key_file = $CERTS/key.pem
smtpd_tls_security_level = may
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = $D/conf/sasl
smtpd_sasl_local_domain = example.test
smtpd_sasl_security_options = noanonymous
smtputf8_enable = yes
message_size_limit = 52428800
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_unauth_destination
CF
cat >"$D/conf/master.cf" <<CF
127.0.0.1:$PORT inet n - n - - smtpd
127.0.0.1:$TLS_PORT inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
CF
cat >"$D/conf/sasl/smtpd.conf" <<CF
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: $D/conf/sasl/sasldb2
mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256
CF
printf secret | saslpasswd2 -p -c -u example.test -f "$D/conf/sasl/sasldb2" tester
chown postfix "$D/conf/sasl/sasldb2"
describe postfix "$PORT" "$TLS_PORT" smtp "$D/mail" ',"user":"tester@example.test","password":"secret"'
postfix -c "$D/conf" start-fg &
