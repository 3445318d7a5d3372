package keyring

// SelfTest is what every key goes through when it is loaded.
var SelfTest = selfTest
