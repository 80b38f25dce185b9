#!/usr/bin/env bash
# A month of trade and its settlement, on SQLite, then `paycore verify` over what it left. 一个月的交易与结算，并核验账目。
#
# Takes the programs from PAYCORE_BIN and SETTLEMENT_DAY_BIN, or builds them. 程序取自这两个变量，未设置则现场编译。
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${PAYCORE_BIN:-}
month=${SETTLEMENT_DAY_BIN:-}
unset PAYCORE_BIN PAYCORE_PYTHON

data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT

if [ -z "$month" ]; then
    cargo build --quiet --package settlement_day
    month=target/debug/settlement_day
fi
"$month" "$data/month.db"

if [ -z "$program" ]; then
    cargo build --quiet --package paycore-server --bin paycore
    program=target/debug/paycore
fi
PAYCORE_DATABASE_URL="sqlite:$data/month.db" "$program" verify
