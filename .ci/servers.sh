#!/bin/bash
# For CI: fetch the real servers once into a directory that can be cached, then run the interop tests against them.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
test/interop/servers.sh fetch
npm run test:interop
