"""aiosmtpd with AUTH, STARTTLS on one port and implicit TLS on another; mail goes into a maildir for each local part.

usage: maildirs.py PORT TLS_PORT MAIL_DIR CERT_DIR
"""

import asyncio
import ssl
import sys
from pathlib import Path
from time import time_ns

from aiosmtpd.smtp import SMTP, AuthResult

PORT, TLS_PORT, MAIL, CERTS = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
KNOWN = {"inbox@example.test", "two@example.test"}


class Maildirs:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address not in KNOWN:
            return "550 5.7.1 relay not permitted"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        for address in envelope.rcpt_tos:
            box = MAIL / address.split("@")[0]
            for part in ("tmp", "new", "cur"):
                (box / part).mkdir(parents=True, exist_ok=True)
            name = f"{time_ns()}.aiosmtpd"
            (box / "tmp" / name).write_bytes(envelope.content)
            (box / "tmp" / name).rename(box / "new" / name)
        return "250 2.0.0 stored"


def login(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b"tester@example.test", b"secret")
    return AuthResult(success=good, handled=False)


def serve(tls):
    return lambda: SMTP(
        Maildirs(),
        hostname="mx.example.test",
        data_size_limit=52428800,
        enable_SMTPUTF8=True,
        tls_context=tls,
        authenticator=login,
        auth_require_tls=False,
    )


async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTS / "cert.pem", CERTS / "key.pem")
    loop = asyncio.get_running_loop()
    clear = await loop.create_server(serve(context), "127.0.0.1", PORT)
    secure = await loop.create_server(serve(None), "127.0.0.1", TLS_PORT, ssl=context)
    await asyncio.gather(clear.serve_forever(), secure.serve_forever())


asyncio.run(main())
