#!/bin/sh
# What each region's orders are worth: region, orders, revenue, one region a line, sorted by region.
#
# usage: sh bin/report.sh [--work] CUSTOMERS ORDERS
#   --work  print how much work the report took instead, as "name value unit" lines
set -eu
export LC_ALL=C

work=0
if [ "${1-}" = --work ]; then
    work=1
    shift
fi
if [ $# -ne 2 ]; then
    echo "usage: sh bin/report.sh [--work] CUSTOMERS ORDERS" >&2
    exit 2
fi
lib=$(dirname "$0")/../lib

# The pipe below would hide a failure of awk.
report=$(awk -v work="$work" -f "$lib/customers.awk" -f "$lib/orders.awk" -f "$lib/report.awk" \
    kind=customer "$1" kind=order "$2")
[ -z "$report" ] || printf '%s\n' "$report" | sort
