package gate

// RoundUp is for the test of a detail that shows in signatures only.
var RoundUp = roundUp
