// Replaced by the first real file of HeddleRolesTests.
