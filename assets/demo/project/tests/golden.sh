#!/bin/sh
# The report on 600 recorded deliveries is, byte for byte, the one finance signed off. Run from the top.
set -eu
export LC_ALL=C
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
sh data/make.sh 600 "$dir"
sh bin/report.sh "$dir/customers.tsv" "$dir/orders.tsv" >"$dir/actual"
diff tests/golden.tsv "$dir/actual"
echo "identical: $(wc -l <tests/golden.tsv | tr -d ' ') regions"
