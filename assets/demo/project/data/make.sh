#!/bin/sh
# Makes a day's data in DIR: customers.tsv and orders.tsv, the same on every machine.
#
# usage: sh data/make.sh DELIVERIES DIR
#
# One delivery in eight repeats an earlier order. The random numbers are those of Park and Miller (1988);
# their products stay below 2^53, so that every awk computes them exactly.
set -eu
export LC_ALL=C

awk -v deliveries="$1" -v dir="$2" '
function random(below) {
    state = (state * 16807) % 2147483647
    return int(state / 7) % below
}
BEGIN {
    state = 20261121
    split("north south east west coast", region, " ")
    for (c = 0; c < 120; c++)
        printf "c%03d\t%s\n", c, region[1 + random(5)] > (dir "/customers.tsv")
    for (d = 0; d < deliveries; d++) {
        if (made > 0 && random(8) == 0)
            line = order[random(made)]
        else {
            line = sprintf("o%05d\tc%03d\t%d", made, random(124), 500 + random(20000))
            order[made++] = line
        }
        print line > (dir "/orders.tsv")
    }
}'
