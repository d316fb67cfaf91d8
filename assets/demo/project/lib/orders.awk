# Which deliveries are orders. The shop sends an order again when our answer is late, so that one id can
# arrive several times, at any distance. Its first delivery counts.

# Whether an order with this id has been counted.
function is_counted(id,    i) {
    for (i = 1; i <= counted; i++) {
        comparisons++
        if (ids[i] == id)
            return 1
    }
    return 0
}

# Notes that the order with this id counts.
function count_order(id) {
    counted++
    ids[counted] = id
}
