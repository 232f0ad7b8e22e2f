#!/usr/bin/env bash
# Generates the Python and the TypeScript client from openapi.json into openapi/clients/, which git ignores.
# Called by `make clients`, which puts the development environment's tools (Node among them) first in PATH.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export RUFF_NO_CACHE=true

rm -rf clients
mkdir -p clients/python
openapi-python-client generate --path openapi.json --config python.yaml --output-path clients/python/gradd_api \
  --meta none --fail-on-warning
touch clients/python/gradd_api/py.typed
cp -r python/gradd_client clients/python/

cd typescript
npm ci --silent
npx --no-install openapi-ts --silent
echo "clients: openapi/clients/python (gradd_client over gradd_api), openapi/clients/typescript"
