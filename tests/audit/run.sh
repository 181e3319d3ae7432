#!/bin/sh
# Audits a server: the graphql-http audit, then urql, Apollo, graphql-ws and graphql-sse.
#   tests/audit/run.sh                    a server of its own, on an empty database
#   tests/audit/run.sh URL [KEYS.json [PAGES [SHOTS]]]    a running one; subscriptions need the
#       keys; PAGES is a folder of pictures of plans, SHOTS where screenshots shall go
# Exits with 0 only where every check passes, and with 3 where Node is not there.
set -eu
url=${1:-}
keys=${2:-}
pages=${3:-}
shots=${4:-}
if [ -n "$keys" ]; then keys=$(realpath "$keys"); fi
if [ -n "$pages" ]; then pages=$(realpath "$pages"); fi
if [ -n "$shots" ]; then shots=$(realpath -m "$shots"); fi
cd "$(dirname "$0")"

if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
  echo "The audit needs Node 20 or newer with npm, which is not on this machine; nothing was checked."
  exit 3
fi
if ! node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'; then
  echo "The audit needs Node 20 or newer, not $(node --version); nothing was checked."
  exit 3
fi
if [ -z "$url" ]; then
  cd ../..
  exec "${PYTHON:-.venv/bin/python}" -m tests.audit
fi
if ! cmp -s package-lock.json node_modules/.made-from; then
  npm ci --silent --no-progress --ignore-scripts
  cp package-lock.json node_modules/.made-from
fi

failed=0
node audit.mjs "$url" || failed=1
node clients.mjs "$url" ${keys:+"$keys"} || failed=1
if [ -n "$keys" ]; then node report.mjs "$url" "$keys" ${pages:+"$pages"} ${shots:+"$shots"} || failed=1; fi
exit $failed
