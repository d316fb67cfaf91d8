# The register of customers: who lives in which region.

function register(customer, region) {
    registered++
    customers[registered] = customer
    regions[registered] = region
}

# The region of a customer; "unknown" if the register does not have them.
function region_of(customer,    i) {
    for (i = 1; i <= registered; i++) {
        register_reads++
        if (customers[i] == customer)
            return regions[i]
    }
    return "unknown"
}
