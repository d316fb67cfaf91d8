#!/bin/sh
# Shell and awk files parse, keep to 110 columns and have no tabs or trailing blanks. Run from the top.
set -eu
export LC_ALL=C
for file in bin/*.sh data/*.sh probe/*.sh tests/*.sh; do
    sh -n "$file"
done
awk -f lib/customers.awk -f lib/orders.awk -f lib/report.awk /dev/null >/dev/null
awk '
length($0) > 110 { print FILENAME ":" FNR ": longer than 110 columns"; bad = 1 }
/\t|[ \t]$/      { print FILENAME ":" FNR ": tab or trailing blank"; bad = 1 }
END              { exit bad }' bin/*.sh lib/*.awk data/*.sh probe/*.sh tests/*.sh
echo "clean"
