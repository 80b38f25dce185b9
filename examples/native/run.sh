#!/usr/bin/env bash
# Holds the snippets for apps and mini programs against a server with its sandbox on: see check.cjs.
# 用开启沙箱的服务核对应用与小程序的代码片段，见 check.cjs。
#
# Takes the server from PAYCORE_BIN, or builds it. 服务程序取自 PAYCORE_BIN，未设置则现场编译。
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${PAYCORE_BIN:-}
unset PAYCORE_BIN PAYCORE_PYTHON

data=$(mktemp -d)
trap 'jobs -p | xargs -r kill 2>/dev/null || true; wait; rm -rf "$data"' EXIT

if [ -z "$program" ]; then
    cargo build --quiet --package paycore-server --bin paycore
    program=target/debug/paycore
fi

export PAYCORE_DATA_DIR="$data" PAYCORE_LISTEN=127.0.0.1:0
"$program" serve --sandbox >"$data/banner.txt" 2>"$data/log.txt" &
for _ in $(seq 300); do
    if grep -q 'sk_test_' "$data/banner.txt"; then break; fi
    sleep 0.1
done
url=$(grep -o 'http://[^ ]*/v1' "$data/banner.txt" | head -n 1)
key=$(grep -o 'sk_test_[A-Za-z0-9_-]*' "$data/banner.txt" | head -n 1)

PAYCORE=${url%/v1} PAYCORE_KEY=$key node examples/native/check.cjs
"$program" verify
echo "OK 完成"
