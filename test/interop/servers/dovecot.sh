# Dovecot: LMTP on PORT (implicit TLS on TLS_PORT), submission on PORT3 (TLS_PORT3), which hands on to Postfix.
mkdir -p "$D"/{run,state} "$D/keys/default/HS256"
chmod 755 "$D"; chown nobody "$D/mail"
KEY=$(openssl rand -base64 32)
printf '%s' "$KEY" >"$D/keys/default/HS256/default"; chmod -R a+rX "$D/keys"
url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
NOW=$(date +%s)
CLAIMS=$(printf '{"alg":"HS256","typ":"JWT"}' | url).$(printf '{"sub":"tester@example.test","iat":%s,"nbf":%s,"exp":%s}' "$NOW" "$NOW" $((NOW + 86400)) | url)
TOKEN=$CLAIMS.$(printf '%s' "$CLAIMS" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(printf '%s' "$KEY" | openssl base64 -d -A | od -An -tx1 | tr -d ' \n')" -binary | url)
# only these exist for LMTP; the others are refused
printf '%s:::::::\n' inbox two tester >"$D/users"
cat >"$D/oauth2.conf" <<CF
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=$D/keys/
username_attribute = sub
CF
cat >"$D/dovecot.conf" <<CF
base_dir = $D/run
state_dir = $D/state
log_path = /dev/stderr
protocols = lmtp submission
listen = 127.0.0.1
ssl = yes
ssl_cert = <$CERTS/cert.pem
ssl_key = <$CERTS/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256 oauthbearer xoauth2
auth_failure_delay = 0
passdb {
  driver = static
  mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
  args = password=secret
}
passdb {
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = $D/oauth2.conf
}
hostname = mx.example.test
submission_relay_host = 127.0.0.1
submission_relay_port = $RELAY_PORT
service submission-login {
  inet_listener submission {
    address = 127.0.0.1
    port = $PORT3
  }
  inet_listener submissions {
    address = 127.0.0.1
    port = $TLS_PORT3
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = $PORT
  }
  inet_listener lmtps {
    address = 127.0.0.1
    port = $TLS_PORT
    ssl = yes
  }
}
# no penalty that grows with each failed login
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
mail_location = maildir:$D/mail/%n
first_valid_uid = 1
userdb {
  driver = passwd-file
  args = username_format=%n $D/users
  override_fields = uid=nobody gid=nogroup home=$D/mail/%n
}
CF
describe dovecot-lmtp "$PORT" "$TLS_PORT" lmtp "$D/mail"
describe dovecot-submission "$PORT3" "$TLS_PORT3" smtp "$D/../postfix/mail" ",\"needs\":\"postfix\",\"authRequired\":true,\"user\":\"tester@example.test\",\"password\":\"secret\",\"token\":\"$TOKEN\""
dovecot -F -c "$D/dovecot.conf" &
