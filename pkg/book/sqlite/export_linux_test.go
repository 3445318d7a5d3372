package sqlite

// NetworkName is for tests.
var NetworkName = networkName
