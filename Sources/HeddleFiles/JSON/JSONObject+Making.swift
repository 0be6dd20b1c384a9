extension JSONObject {
    /// An object with these members in this order; a later value replaces an earlier one of the same key, in its place.
    public init(_ pairs: [(key: String, value: JSONValue)]) {
        var members: [Member] = []
        for (key, value) in pairs {
            let member = Member(key: JSONString(key), value: value)
            if let place = members.firstIndex(where: { $0.key == member.key }) {
                members[place] = member
            } else {
                members.append(member)
            }
        }
        self.init(members: members)
    }

    /// An object with the members of this one for which `keeps` says so.
    public func filter(_ keeps: (Member) -> Bool) -> JSONObject { JSONObject(members: members.filter(keeps)) }
}
