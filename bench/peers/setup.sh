#!/usr/bin/env bash
# Installs the peers into bench/.cache/peers, outside the product's environment. Pins what is compared.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
into="$here/../.cache/peers"
mkdir -p "$into"
uv="$here/../../.venv/bin/uv"
[ -x "$into/litellm/bin/litellm" ] || {
  "$uv" venv -q --clear "$into/litellm"
  "$uv" pip install -q --python "$into/litellm" "litellm[proxy]==1.106.2"
}
[ -d "$into/portkey/node_modules/@portkey-ai/gateway" ] || {
  mkdir -p "$into/portkey"
  (cd "$into/portkey" && npm install --silent --no-package-lock @portkey-ai/gateway@1.15.2)
}
echo "peers are in $into"
