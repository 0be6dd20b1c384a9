import HeddleActors

/// Every remote method of the mesh and every error that crosses it as itself; both ends of a connection compare its digest.
public let heddleContracts = ContractTable(roleMethods)
