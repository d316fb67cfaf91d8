#!/bin/sh
# How long one report takes, as "name value unit". Run from the top of the project.
. probe/workload.sh
set -- sh bin/report.sh "$dir/customers.tsv" "$dir/orders.tsv"

# Nanoseconds where date has them (GNU), hundredths of a second from time(1) elsewhere (macOS).
start=$(date +%s%N)
case $start in
*[!0-9]* | ??????????)
    { time -p "$@" >"$dir/report"; } 2>"$dir/time"
    awk '$1 == "real" { printf "report_ms %d ms\n", $2 * 1000 }' "$dir/time"
    ;;
*)
    "$@" >"$dir/report"
    end=$(date +%s%N)
    echo "report_ms $(((end - start) / 1000000)) ms"
    ;;
esac
