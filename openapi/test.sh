#!/usr/bin/env bash
# Checks the generated clients: strict types in both languages, every operation present, and both driven against a
# live server. Called by `make test-clients` after `make clients`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

echo "types: Python"
(cd clients/python && MYPYPATH=. mypy --strict --config-file=/dev/null -p gradd_client)
echo "types: TypeScript"
(cd typescript && npx --no-install tsc)
echo "operations and live calls"
cd ..
GRADD_CLIENTS=1 python -m pytest -q tests/clients
