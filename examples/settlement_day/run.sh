#!/usr/bin/env bash
# A month of trade and its settlement, on SQLite, then `paycore verify` over what it left. 一个月的交易与结算，并核验账目。
#
# Takes the server from PAYCORE_BIN, or builds it. 服务程序取自 PAYCORE_BIN，未设置则现场编译。
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${PAYCORE_BIN:-}
unset PAYCORE_BIN PAYCORE_PYTHON

data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT

cargo run --quiet --package settlement_day -- "$data/month.db"

if [ -z "$program" ]; then
    cargo build --quiet --package paycore-server --bin paycore
    program=target/debug/paycore
fi
PAYCORE_DATABASE_URL="sqlite:$data/month.db" "$program" verify
