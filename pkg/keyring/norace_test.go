//go:build !race

package keyring_test

// rotations is how many are walked.
const rotations = 1000
