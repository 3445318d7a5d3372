//go:build race

package main

// raceDetector says that memory and time are not what they are otherwise.
const raceDetector = true
