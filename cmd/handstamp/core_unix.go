//go:build unix

package main

import "syscall"

// noCore keeps the system from writing the memory of a process that dies, with
// its keys, to disk.
func noCore() error { return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }
