#!/bin/sh
# How much work one report takes, as "name value unit" lines. Run from the top of the project.
. probe/workload.sh
sh bin/report.sh --work "$dir/customers.tsv" "$dir/orders.tsv"
