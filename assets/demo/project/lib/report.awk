# The report. Reads the register (kind=customer: id, region), then the deliveries (kind=order: id,
# customer, cents), tab-separated.

BEGIN { FS = "\t" }

kind == "customer" { register($1, $2); next }

NF != 3 {
    printf "line %d: expected id, customer and cents, found %d fields\n", FNR, NF | "cat 1>&2"
    broken = 1
    next
}

is_counted($1) { next }

{
    count_order($1)
    region = region_of($2)
    orders[region]++
    cents[region] += $3
}

END {
    if (broken)
        exit 1
    if (work) {
        printf "comparisons %d ids\n", comparisons
        printf "register_reads %d rows\n", register_reads
        printf "orders_counted %d orders\n", counted
        exit
    }
    for (region in orders)
        printf "%s\t%d\t%d.%02d\n", region, orders[region], int(cents[region] / 100), cents[region] % 100
}
