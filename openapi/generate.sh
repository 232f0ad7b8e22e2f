#!/usr/bin/env bash
# Generates the Python and the TypeScript client from openapi.json into openapi/clients/, which git ignores. The same
# openapi.json gives the same bytes. With --export it writes openapi.json first, as `make openapi` does.
# `make clients` puts the development environment's tools (Node among them) first in PATH; otherwise .venv serves.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export PATH="$PATH:$PWD/../.venv/bin" RUFF_NO_CACHE=true

if [ "${1:-}" = --export ]; then
  (cd .. && python -m app.openapi --write)
fi

rm -rf clients
mkdir -p clients/python
python for_clients.py openapi.json clients/openapi.json
openapi-python-client generate --path clients/openapi.json --config python.yaml --output-path clients/python/gradd_api \
  --meta none --fail-on-warning
touch clients/python/gradd_api/py.typed
cp -r python/gradd_client clients/python/
python python/write_kinds.py openapi.json clients/python/gradd_client/kinds.py
ruff format --isolated --quiet clients/python/gradd_client/kinds.py

cd typescript
npm ci --silent
npx --no-install openapi-ts --silent
echo "clients: openapi/clients/python (gradd_client over gradd_api), openapi/clients/typescript"
