#!/usr/bin/env bash
# Runs the embedded payment to its end and checks that it ends paid.
set -euo pipefail
cd "$(dirname "$0")/../.."

said=$(cargo run --quiet --package embed)
echo "$said"
grep -q "12.34 CNY is pending: http" <<<"$said"
grep -q "12.34 CNY is succeeded$" <<<"$said"
