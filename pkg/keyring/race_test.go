//go:build race

package keyring_test

// rotations is how many are walked; the race detector is slow at arithmetic.
const rotations = 200
