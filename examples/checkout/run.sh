#!/usr/bin/env bash
# The hosted payment page without a browser: one API call makes the page, its forms pay it, and two posts of a form are
# one charge. 不用浏览器走通收款页面：一次 API 调用得到页面，用页面表单付款，重复提交只扣一次款。
#
# Takes the server from PAYCORE_BIN, or builds it. 服务程序取自 PAYCORE_BIN，未设置则现场编译。
set -euo pipefail
cd "$(dirname "$0")/../.."
here=examples/checkout
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

step "Start the server with the sandbox on 启动服务（开启沙箱）"
export PAYCORE_DATA_DIR="$data" PAYCORE_LISTEN=127.0.0.1:0 PAYCORE_OUTBOUND_ALLOW=127.0.0.0/8
"$program" serve --sandbox >"$data/banner.txt" 2>"$data/log.txt" &
until_true grep -q 'sk_test_' "$data/banner.txt"
url=$(grep -o 'http://[^ ]*/v1' "$data/banner.txt" | head -n 1)
key=$(grep -o 'sk_test_[A-Za-z0-9_-]*' "$data/banner.txt" | head -n 1)
until_true curl -fsS "${url%/v1}/readyz"

# post PATH BODY: a call with the secret key and a fresh idempotency key; the answer is in $data/answer.json.
calls=0
post() {
    calls=$((calls + 1))
    curl -fsS -o "$data/answer.json" -H "Authorization: Bearer $key" -H 'Content-Type: application/json' \
        -H "Idempotency-Key: run-$calls" -d "$2" "$url$1" || fail "POST $1"
}
paid() {
    curl -fsS -o "$data/order.json" -H "Authorization: Bearer $key" "$url/orders/$1"
    [ "$(field "$data/order.json" status)" = succeeded ]
}

for method in alipay.qr testpay.page testpay.card; do
    step "Pay an order by $method through its page 通过页面支付"
    post /orders '{"amount": 1234, "currency": "CNY", "subject": "Tea 茶叶", "methods": ["alipay.qr", "testpay.page", "testpay.card"]}'
    id=$(field "$data/answer.json" id)
    page=$(field "$data/answer.json" checkout_url)
    "$python" "$here/pay.py" "$page" "$method" >/dev/null
    until_true paid "$id"
    "$python" "$here/pay.py" result "$page" >"$data/result.txt"
    [ "$(head -n 1 "$data/result.txt")" = Paid ] || fail "the page says: $(cat "$data/result.txt")"
    curl -fsS "${url%/v1}$(tail -n 1 "$data/result.txt")" | grep -q '¥12.34' || fail "the receipt has no amount"
    echo "$id 支付成功 paid"
done

step "A form that is posted twice at once is one charge 并发提交两次只扣一次款"
post /orders '{"amount": 500, "currency": "CNY", "subject": "Tea 茶叶", "methods": ["testpay.card", "testpay.page"]}'
id=$(field "$data/answer.json" id)
page=$(field "$data/answer.json" checkout_url)
for _ in 1 2; do curl -fsS -o /dev/null -d 'after=&method=testpay.card' "$page" & posts+=($!); done
wait "${posts[@]}"
until_true paid "$id"
curl -fsS -o "$data/attempts.json" -H "Authorization: Bearer $key" "$url/orders/$id/attempts"
[ "$("$python" -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["data"]))' "$data/attempts.json")" = 1 ] ||
    fail "there is more than one attempt"

step "A payment link with a free amount 自定金额的收款链接"
post /payment_links '{"currency": "CNY", "subject": "Counter 柜台"}'
link=$(field "$data/answer.json" url)
page=$("$python" "$here/pay.py" "$link" testpay.qr 8.88)
"$python" "$here/pay.py" result "$page" >"$data/result.txt"
[ "$(head -n 1 "$data/result.txt")" = Paid ] || fail "the page says: $(cat "$data/result.txt")"

step "Every invariant on all data 校验全部不变式"
"$program" verify
grep -q 'cs_test_' "$data/log.txt" && fail "a client secret is in the log"
grep -q '/pay/' "$data/log.txt" && fail "the address of a page is in the log"
echo "OK 完成"
