#!/bin/sh
# What the report promises. Run from the top of the project.
set -eu
export LC_ALL=C
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
failed=0
number=0

printf 'c1\tnorth\nc2\tsouth\nc10\teast\n' >"$dir/customers.tsv"

# expect NAME ORDERS REPORT: the report on these orders (printf formats) is this.
expect() {
    number=$((number + 1))
    printf "$2" >"$dir/orders.tsv"
    printf "$3" >"$dir/expected"
    sh bin/report.sh "$dir/customers.tsv" "$dir/orders.tsv" >"$dir/actual" 2>"$dir/errors" || true
    if cmp -s "$dir/expected" "$dir/actual"; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        diff "$dir/expected" "$dir/actual" | sed 's/^/    /' || true
        sed 's/^/    /' "$dir/errors"
        failed=1
    fi
}

expect "orders add up by region" \
    'o1\tc1\t1050\no2\tc2\t200\no3\tc1\t50\n' 'north\t2\t11.00\nsouth\t1\t2.00\n'
expect "an order delivered twice counts once" \
    'o1\tc1\t1050\no2\tc2\t200\no1\tc1\t1050\n' 'north\t1\t10.50\nsouth\t1\t2.00\n'
expect "the first delivery is the one that counts" \
    'o1\tc1\t100\no1\tc2\t900\no1\tc1\t500\n' 'north\t1\t1.00\n'
expect "a delivery repeated at once and much later counts once" \
    'o1\tc1\t1\no1\tc1\t1\no2\tc1\t2\no3\tc1\t3\no1\tc1\t1\n' 'north\t3\t0.06\n'
expect "ids that begin alike are different orders" \
    'o1\tc1\t1\no10\tc1\t1\no100\tc1\t1\nO1\tc1\t1\n' 'north\t4\t0.04\n'
expect "customers that begin alike are different customers" \
    'o1\tc10\t100\no2\tc1\t100\n' 'east\t1\t1.00\nnorth\t1\t1.00\n'
expect "a customer nobody knows is in region unknown" \
    'o1\tc7\t705\n' 'unknown\t1\t7.05\n'
expect "no orders, no lines" '' ''
expect "a broken line stops the report" 'o1\tc1\t1\no2\tc1\n' ''

printf 'o1\tc1\n' >"$dir/orders.tsv"
number=$((number + 1))
if sh bin/report.sh "$dir/customers.tsv" "$dir/orders.tsv" 2>"$dir/errors"; then
    echo "not ok $number - a broken line is an error"
    failed=1
elif grep -q '^line 1: expected id, customer and cents' "$dir/errors"; then
    echo "ok $number - a broken line is an error that names the line"
else
    echo "not ok $number - a broken line is an error that names the line"
    failed=1
fi

echo "1..$number"
exit $failed
