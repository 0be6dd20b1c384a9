/// Decides how many rows of a step each prompt gets: all tenants as many, what one does not need going to the others; within
/// a tenant the oldest first.
enum RowShares {
    /// - Parameter demands: oldest first; with the cost in rows.
    /// - Returns: the cost that each may cause, in the same order; at most `rowCountMax` together.
    static func grants(rowCountMax: Int, demands: [(tenant: TenantName, cost: Int)]) -> [Int] {
        var tenants: [(name: TenantName, left: Int, share: Int)] = []
        var places: [TenantName: Int] = [:]
        for (tenant, cost) in demands {
            if let place = places[tenant] {
                tenants[place].left += cost
            } else {
                places[tenant] = tenants.count
                tenants.append((tenant, cost, 0))
            }
        }
        var rowsLeft = max(0, rowCountMax)
        while rowsLeft > 0 {
            let open = tenants.indices.filter { tenants[$0].left > 0 }
            if open.isEmpty { break }
            // Fewer rows than tenants: the oldest prompts' first.
            let each = max(1, rowsLeft / open.count)
            for index in open where rowsLeft > 0 {
                let rows = min(each, tenants[index].left, rowsLeft)
                tenants[index].left -= rows
                tenants[index].share += rows
                rowsLeft -= rows
            }
        }
        return demands.map { tenant, cost in
            guard let place = places[tenant] else { return 0 }
            let rows = min(cost, tenants[place].share)
            tenants[place].share -= rows
            return rows
        }
    }
}
