#!/usr/bin/env bash
# The first payment, from an empty folder to balanced books: shell, curl, and Python's standard library to read JSON
# and to receive webhooks. 第一笔支付：从空目录到账目平衡，只用 shell、curl 和 Python 标准库。
#
# Takes the server from PAYCORE_BIN, or builds it. 服务程序取自 PAYCORE_BIN，未设置则现场编译。
set -euo pipefail
cd "$(dirname "$0")/../.."
here=examples/first_payment
python=${PAYCORE_PYTHON:-python3}
program=${PAYCORE_BIN:-}
unset PAYCORE_BIN PAYCORE_PYTHON

data=$(mktemp -d)
trap 'jobs -p | xargs -r kill 2>/dev/null || true; wait; rm -rf "$data"' EXIT

step() { printf '\n== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

# field FILE a.b.0.c: one value out of a JSON file.
field() {
    "$python" -c '
import json, sys
value = json.load(open(sys.argv[1], encoding="utf-8"))
for name in sys.argv[2].split("."):
    value = value[int(name)] if isinstance(value, list) else value[name]
print(value)' "$1" "$2"
}

# until_true COMMAND...: tries for ten seconds.
until_true() {
    for _ in $(seq 100); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    fail "still not true after ten seconds: $*"
}

if [ -z "$program" ]; then
    cargo build --quiet --package paycore-server --bin paycore
    program=target/debug/paycore
fi

step "Start the server with an empty database and the sandbox on 启动服务（空数据库、开启沙箱）"
export PAYCORE_DATA_DIR="$data" PAYCORE_LISTEN=127.0.0.1:0 PAYCORE_OUTBOUND_ALLOW=127.0.0.0/8
"$program" serve --sandbox >"$data/banner.txt" 2>"$data/log.txt" &
until_true grep -q 'sk_test_' "$data/banner.txt"
url=$(grep -o 'http://[^ ]*/v1' "$data/banner.txt" | head -n 1)
key=$(grep -o 'sk_test_[A-Za-z0-9_-]*' "$data/banner.txt" | head -n 1)
until_true curl -fsS "${url%/v1}/readyz"
echo "$url"

# call METHOD PATH [BODY [IDEMPOTENCY_KEY]]: writes the answer to $data/answer.json, or to $answer, and prints the status.
call() {
    local to=${answer:-$data/answer.json}
    local more=()
    if [ $# -ge 3 ]; then more+=(-H 'Content-Type: application/json' -d "$3"); fi
    if [ $# -ge 4 ]; then more+=(-H "Idempotency-Key: $4"); fi
    curl -sS -o "$to" -w '%{http_code}' -X "$1" -H "Authorization: Bearer $key" ${more[@]+"${more[@]}"} "$url$2"
}
expect() {
    local wanted=$1
    shift
    local got
    got=$(call "$@")
    [ "$got" = "$wanted" ] || fail "$1 $2 answered $got: $(cat "$data/answer.json")"
}

step "Receive webhooks 接收 webhook"
"$python" "$here/webhooks.py" listen "$data/port" "$data/webhooks.jsonl" &
until_true test -s "$data/port"
expect 200 POST /webhook_endpoints "{\"url\": \"http://127.0.0.1:$(cat "$data/port")/webhooks\"}"
secret=$(field "$data/answer.json" secret)
wait_for() { "$python" "$here/webhooks.py" wait "$data/webhooks.jsonl" "$secret" "$1"; }

step "Create an order 创建订单"
order='{"amount": 10000, "currency": "CNY", "subject": "Tea 茶叶", "method": "alipay.qr", "out_trade_no": "FIRST-1"}'
expect 200 POST /orders "$order" order-1
id=$(field "$data/answer.json" id)
qr=$(field "$data/answer.json" next_action.content)
cp "$data/answer.json" "$data/order.json"
echo "$id: $(field "$data/order.json" status), QR code 二维码: $qr"

step "The same request with the same key is the same order 同一幂等键重发得到同一订单"
expect 200 POST /orders "$order" order-1
cmp "$data/answer.json" "$data/order.json" || fail "a repeated request was answered differently"

step "Pay it, as the payer who scanned the code 模拟付款人扫码支付"
curl -fsS "$qr" | grep -q '支付' || fail "the payer's page has no button"
curl -fsS -X POST "$qr/pay" >/dev/null

step "The webhook says so, and its signature is right webhook 已送达且签名正确"
wait_for order.succeeded | tee "$data/event.json"
[ "$(field "$data/event.json" data.object.id)" = "$id" ] || fail "the event is about another order"
sed 's/10000/10001/' "$data/webhooks.jsonl" >"$data/forged.jsonl"
if "$python" "$here/webhooks.py" wait "$data/forged.jsonl" "$secret" order.succeeded 2>/dev/null; then
    fail "a webhook with another amount was believed"
fi
expect 200 GET "/orders/$id"
[ "$(field "$data/answer.json" status)" = succeeded ] || fail "the order is not paid"
[ "$(field "$data/answer.json" amount_captured)" = 10000 ] || fail "not everything is captured"

step "Refund 60 % twice at once: one of the two has to be refused 并发退款两次 60%，必有一笔被拒"
for n in 1 2; do
    answer=$data/refund$n.json call POST /refunds "{\"order_id\": \"$id\", \"amount\": 6000}" "refund-$n" >"$data/status$n" &
    refunds[n]=$!
done
wait "${refunds[1]}" "${refunds[2]}"
statuses=$(cat "$data/status1" <(echo) "$data/status2" | sort | tr '\n' ' ')
echo "answered 应答: $statuses"
[ "$statuses" = "200 422 " ] || fail "exactly one of the two refunds has to be accepted"
grep -lq refund_exceeds_capture "$data"/refund?.json || fail "the other was refused for another reason"

step "Refund the rest 退还余款"
expect 200 POST /refunds "{\"order_id\": \"$id\", \"reason\": \"returned 退货\"}" refund-3
[ "$(field "$data/answer.json" amount)" = 4000 ] || fail "the rest is 4000"
all_refunded() { expect 200 GET "/orders/$id" && [ "$(field "$data/answer.json" amount_refunded)" = 10000 ]; }
until_true all_refunded
wait_for refund.succeeded >/dev/null
expect 422 POST /refunds "{\"order_id\": \"$id\", \"amount\": 1}" refund-4

step "The books 账务"
expect 200 GET /transactions
"$python" -m json.tool --no-ensure-ascii "$data/answer.json"
expect 200 GET /balances
"$python" -m json.tool --no-ensure-ascii "$data/answer.json"
"$python" - "$data/answer.json" <<'PYTHON' || fail "what was paid and given back has to leave nothing behind"
import json, sys
balances = json.load(open(sys.argv[1], encoding="utf-8"))["data"]
assert len(balances) >= 2 and all(row["debits"] == row["credits"] > 0 for row in balances), balances
PYTHON

step "Every invariant on all data 校验全部不变式"
"$program" verify --json >"$data/report.json"
[ "$(field "$data/report.json" ok)" = True ] || fail "$(cat "$data/report.json")"
"$program" verify
echo "OK 完成"
