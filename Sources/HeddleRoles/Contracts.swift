import HeddleActors

public let roleMethods: [ContractMethod] = []
