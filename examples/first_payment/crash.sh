#!/usr/bin/env bash
# The first payment again, with the server killed at random moments of every step and started anew on the same
# database. 再走一遍第一笔支付，但在每一步随机杀掉服务进程并在同一数据库上重启。
#
#   ROUNDS=5 SEED=1 examples/first_payment/crash.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PAYCORE_PYTHON:-python3}
program=${PAYCORE_BIN:-}
unset PAYCORE_BIN PAYCORE_PYTHON
if [ -z "$program" ]; then
    cargo build --quiet --package paycore-server --bin paycore
    program=target/debug/paycore
fi
exec "$python" -B examples/first_payment/crash.py "$program" "${ROUNDS:-5}" "${SEED:-$RANDOM}"
