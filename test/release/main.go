// Command release is what test/release.sh needs beside the compiler: archives
// that are the same bytes each time, and the bill of materials of a program.
//
//	release archive OUT.tar.gz|OUT.zip NAME FOLDER   FOLDER as NAME/ in an archive
//	release sbom PROGRAM                             CycloneDX 1.6, to standard output
//
// Every file in an archive has the time SOURCE_DATE_EPOCH (seconds since 1970,
// UTC; 1980 if it is not set, where the times of zip begin), belongs to root and
// has mode 0644 or 0755.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 4 && args[0] == "archive":
		at, err := epoch()
		if err != nil {
			return err
		}
		return writeArchive(args[1], args[2], args[3], at)
	case len(args) == 2 && args[0] == "sbom":
		return writeBill(os.Stdout, args[1])
	}
	return fmt.Errorf("want archive OUT NAME FOLDER or sbom PROGRAM, found %q", args)
}

// epoch returns the time that everything in a release has.
func epoch() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %q is not a number of seconds", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}
